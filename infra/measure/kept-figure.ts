import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { LOCAL_DIR } from "../paths.ts";

/** Counted up when what is measured, or how, changes: earlier figures are then not taken for new ones. */
const METHOD = 2;

const figureSchema = z.object({
  /**
   * At the edge: wasm memories and JavaScript heap above the idle Worker; at the origin: resident memory above the idle
   * process.
   */
  memoryBytes: z.number(),
  loadMs: z.number(),
  /** One picture; for the language model one prompt with a picture, and a few tokens. */
  runMs: z.number(),
});

/** What a stage took when it was loaded and run on the largest picture that is admitted. */
export type Figure = z.output<typeof figureSchema>;

/**
 * The figure of these inputs from an earlier run on this machine (`.fovea/measured/`), else a new one. That makes importing
 * again quick, and gives the same release the same digest.
 */
export async function keptFigure(
  inputs: readonly unknown[],
  measure: () => Promise<Figure>,
  directory = path.join(LOCAL_DIR, "measured"),
): Promise<Figure> {
  const key = createHash("sha256")
    .update(JSON.stringify([METHOD, ...inputs]))
    .digest("hex");
  const file = path.join(directory, `${key}.json`);
  const text = await readFile(file, "utf8").catch(() => null);
  if (text !== null) return figureSchema.parse(JSON.parse(text));
  const figure = await measure();
  await mkdir(directory, { recursive: true });
  await writeFile(file, JSON.stringify(figure));
  return figure;
}
