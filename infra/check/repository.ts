import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../paths.ts";

/** One file in git, bytes: large files make every clone slow. */
const MAX_FILE_BYTES = 25 * 1024 * 1024;

/** Weights of the built-in model in git, bytes, all files together. */
const MAX_MODEL_BYTES = 30 * 1024 * 1024;

/** What no file of the project may say: hosts of package registries. */
const FORBIDDEN = [/registry\.npm(?:js|mirror)?\.(?:org|com)/, /pypi\.org/, /static\.crates\.io/];

/** Rules on what is in git, which no other tool checks. */
function problems(): string[] {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0").filter(Boolean);
  const found: string[] = [];
  let modelBytes = 0;
  for (const file of files) {
    const { size } = statSync(path.join(ROOT, file), { throwIfNoEntry: false }) ?? { size: 0 };
    if (size > MAX_FILE_BYTES) found.push(`${file} has ${size} bytes, ${MAX_FILE_BYTES} at most`);
    if (/^model-artifacts\/[^/]+\/onnx\//.test(file)) modelBytes += size;
    if (!/\.(?:ts|mjs|js|json|md|toml|py|html|css|sh|rc|npmrc)$/.test(file) || size === 0) continue;
    const text = readFileSync(path.join(ROOT, file), "utf8");
    if (file === "infra/check/repository.ts") continue;
    for (const pattern of FORBIDDEN)
      if (pattern.test(text)) found.push(`${file} names a package registry host (${pattern.source})`);
  }
  if (modelBytes > MAX_MODEL_BYTES)
    found.push(`model-artifacts has ${modelBytes} bytes of weights, ${MAX_MODEL_BYTES} at most`);
  return found;
}

const found = problems();
for (const problem of found) console.error(problem);
process.exitCode = found.length === 0 ? 0 : 1;
