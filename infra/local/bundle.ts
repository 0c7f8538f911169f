import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { LegacyWorkerOptions } from "miniflare";
import { WORKER_CONFIGS, WRANGLER, type WorkerName } from "../paths.ts";
import { runNode } from "../process/run.ts";

type Modules = Extract<LegacyWorkerOptions, { modules: readonly unknown[] }>["modules"];

/** A bundle as wrangler uploads it. */
export interface Bundle {
  readonly directory: string;
  readonly modules: Modules;
}

/**
 * Bundles a Worker with `wrangler deploy --dry-run`: what runs locally is what a deploy would upload, byte for byte.
 * @throws Error with wrangler's own words when it does not bundle
 */
export async function bundleWorker(name: WorkerName, into: string, signal?: AbortSignal): Promise<Bundle> {
  const directory = path.join(into, "bundles", name);
  const { code, stdout, stderr } = await runNode(
    [WRANGLER, "deploy", "--dry-run", "-c", WORKER_CONFIGS[name], "--env", "local", "--outdir", directory],
    { WRANGLER_SEND_METRICS: "false" },
    signal,
  );
  if (code !== 0) throw new Error(`wrangler could not bundle the ${name} Worker:\n${stdout}${stderr}`);
  return { directory, modules: await readModules(directory) };
}

/** The entry first, then every wasm file beside it. */
async function readModules(directory: string): Promise<Modules> {
  const names = await readdir(directory);
  const wasm = names.filter((name) => name.endsWith(".wasm"));
  return [
    { type: "ESModule", path: path.join(directory, "index.js"), contents: await read(directory, "index.js") },
    ...(await Promise.all(
      wasm.map(async (name) => ({
        type: "CompiledWasm" as const,
        path: path.join(directory, name),
        contents: await readFile(path.join(directory, name)),
      })),
    )),
  ];
}

function read(directory: string, name: string): Promise<string> {
  return readFile(path.join(directory, name), "utf8");
}
