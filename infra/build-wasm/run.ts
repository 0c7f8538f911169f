import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WasmTarget } from "./target.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * `npm run build:wasm` writes every wasm file that has its source here; with `--check` it writes nothing and fails when a
 * committed file is not what its source gives. Each file of this folder that exports `target` is one.
 */
async function targets(): Promise<WasmTarget[]> {
  const names = (await readdir(import.meta.dirname)).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  const found: WasmTarget[] = [];
  for (const name of names.toSorted()) {
    if (name === "run.ts") continue;
    const module = (await import(join(import.meta.dirname, name))) as { readonly target?: WasmTarget };
    if (module.target !== undefined) found.push(module.target);
  }
  return found;
}

async function main(check: boolean): Promise<void> {
  // The compiler reads its entry from the working directory.
  process.chdir(ROOT);
  const stale: string[] = [];
  for (const target of await targets()) {
    for (const [path, bytes] of await target.build()) {
      const committed = await readFile(path).catch(() => null);
      const same = committed !== null && committed.equals(bytes);
      console.log(`${target.name}: ${path} ${bytes.length} bytes${same ? "" : check ? " DIFFERS" : " written"}`);
      if (same) continue;
      if (check) stale.push(path);
      else await writeFile(path, bytes);
    }
  }
  if (stale.length > 0) throw new Error(`Not what the source gives: ${stale.join(", ")}. Run npm run build:wasm.`);
}

const [word] = process.argv.slice(2);
if (word !== undefined && word !== "--check") {
  console.error("npm run build:wasm [-- --check]");
  process.exit(word === "--help" ? 0 : 2);
}
await main(word === "--check");
