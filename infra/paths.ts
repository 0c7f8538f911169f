import path from "node:path";

/** The checkout. */
export const ROOT = path.resolve(import.meta.dirname, "..");

/** Everything that a local stage makes: bundles, the bucket, keys. Git ignores it; removing it starts anew. */
export const LOCAL_DIR = path.join(ROOT, ".fovea");

export const WORKER_CONFIGS = {
  edge: path.join(ROOT, "wrangler.toml"),
  encoder: path.join(ROOT, "functions/encoder/wrangler.toml"),
} as const;

export type WorkerName = keyof typeof WORKER_CONFIGS;

/** The program in node_modules/.bin that `name` runs, for `process.execPath`. */
export const WRANGLER = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");
