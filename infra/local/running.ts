import type { ArgDef } from "citty";
import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { LOCAL_DIR } from "../paths.ts";
import { UnavailableError } from "../usage.ts";

const runningSchema = z.object({ edge: z.url(), origin: z.url() });

type Running = z.output<typeof runningSchema>;

/** How commands other than `fovea dev` are told which local stage they mean. */
export const dirArg = {
  type: "string",
  valueHint: "folder",
  description:
    "Folder of the local stage, as `fovea dev --dir` has it (default: FOVEA_DIR, else .fovea of the checkout)",
} as const satisfies ArgDef;

/** The folder of the local stage that is meant. */
export function localDirectory(dir?: string): string {
  return dir ?? (process.env["FOVEA_DIR"] || LOCAL_DIR);
}

/**
 * Where the local stage runs, as `npm start` wrote it down.
 * @throws UnavailableError when it does not run
 */
export async function runningStack(dir?: string): Promise<Running> {
  const directory = localDirectory(dir);
  const running = await readRunning(directory);
  if (running !== null) return running;
  throw new UnavailableError(
    `Nothing is running in ${directory}. Start it with \`npm start\` in another terminal, name its folder with --dir, or name a deployment with --url.`,
  );
}

/** Null when nothing is written down. */
export async function readRunning(directory: string): Promise<Running | null> {
  const text = await readFile(path.join(directory, "local.json"), "utf8").catch(() => "null");
  try {
    return runningSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
