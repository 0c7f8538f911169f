import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { LOCAL_DIR } from "../paths.ts";
import { UnavailableError } from "../usage.ts";

const runningSchema = z.object({ edge: z.url(), origin: z.url() });

/**
 * Where the local stage runs, as `npm start` wrote it down.
 * @throws UnavailableError when it does not run
 */
export async function runningStack(directory = LOCAL_DIR): Promise<{ readonly edge: string; readonly origin: string }> {
  const text = await readFile(path.join(directory, "local.json"), "utf8").catch(() => {
    throw new UnavailableError(
      "Nothing is running here. Start it with `npm start` in another terminal, or name a deployment with --url.",
    );
  });
  return runningSchema.parse(JSON.parse(text));
}
