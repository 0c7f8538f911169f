import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { LOCAL_DIR } from "../paths.ts";
import { UnavailableError } from "../usage.ts";

const runningSchema = z.object({ edge: z.url(), origin: z.url() });

type Running = z.output<typeof runningSchema>;

/**
 * Where the local stage runs, as `npm start` wrote it down.
 * @throws UnavailableError when it does not run
 */
export async function runningStack(directory = LOCAL_DIR): Promise<Running> {
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
