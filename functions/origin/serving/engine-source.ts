import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { requireStage } from "../../../shared/releases/release.ts";
import type { BackboneSource } from "../backbones/open.ts";
import type { LocalRelease } from "../releases/local-cache.ts";
import type { Settings } from "../settings.ts";

/** Where the parts of a local release lie that the engine needs: the first file of a stage is its program. */
export async function engineSource(local: LocalRelease, settings: Settings): Promise<BackboneSource> {
  const backbone = requireStage(local.release, "backbone");
  const embedTokens = requireStage(local.release, "embed_tokens");
  return {
    provider: settings.provider,
    threads: settings.threads,
    maxSequences: settings.engine.maxSequences,
    decoder: local.path(programOf(backbone.files)),
    embedTokens: local.path(programOf(embedTokens.files)),
    config: await readJson(local, backbone.files, "config.json"),
    prompt: backbone.prompt,
    generationConfig: backbone.files.includes("generation_config.json")
      ? await readJson(local, backbone.files, "generation_config.json")
      : {},
  };
}

/** The compiled tokenizer, where the release's files here include it: only answers that follow a schema need it. */
export function tokenizerPath(local: LocalRelease): string | null {
  const program = local.release.stages.tokenizer?.files[0];
  if (program === undefined) return null;
  const path = local.path(program);
  return existsSync(path) ? path : null;
}

function programOf(files: readonly string[]): string {
  const [program] = files;
  if (program === undefined) throw new Error("A stage of the release names no file.");
  return program;
}

async function readJson(local: LocalRelease, files: readonly string[], name: string): Promise<unknown> {
  if (!files.includes(name)) throw new Error(`The release's backbone has no ${name}.`);
  return JSON.parse(await readFile(local.path(name), "utf8")) as unknown;
}
