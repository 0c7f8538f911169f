import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildPlayground } from "../build/playground.ts";
import { LOCAL_DIR, WORKER_CONFIGS, WRANGLER, type WorkerName } from "../paths.ts";
import { runNode } from "../process/run.ts";

/** Gzipped bytes of one Worker: Cloudflare's limit for a paid plan; beyond: a deploy is refused. */
const MAX_BUNDLE_GZIP_BYTES = 10 * 1024 * 1024;

const ENVIRONMENTS = ["local", "staging", "production"] as const;

/** Bundles each Worker for each environment as a deploy would, and holds it against its budget. */
async function bundle(name: WorkerName, environment: string): Promise<void> {
  const outdir = path.join(LOCAL_DIR, "check", `${name}-${environment}`);
  const args = [WRANGLER, "deploy", "--dry-run", "-c", WORKER_CONFIGS[name], "--env", environment, "--outdir", outdir];
  const { code, stdout, stderr } = await runNode(args);
  if (code !== 0) throw new Error(`${name} does not bundle for ${environment}:\n${stdout}${stderr}`);
  const files = (await readdir(outdir)).filter((file) => file.endsWith(".js") || file.endsWith(".wasm"));
  let gzip = 0;
  for (const file of files) gzip += gzipSync(await readFile(path.join(outdir, file))).byteLength;
  const kib = Math.round(gzip / 1024);
  console.log(`${name} ${environment}: ${kib} KiB gzip`);
  if (gzip > MAX_BUNDLE_GZIP_BYTES) throw new Error(`${name} for ${environment} is ${kib} KiB gzip, 10 MiB at most.`);
}

await buildPlayground();
for (const environment of ENVIRONMENTS) {
  for (const name of Object.keys(WORKER_CONFIGS) as WorkerName[]) await bundle(name, environment);
}
