import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { BUILTIN_EXAMPLES } from "../infra/local/builtin.ts";

const examplesSchema = z.array(z.object({ image: z.string(), question: z.string(), answer: z.string() }));

export type Example = z.output<typeof examplesSchema>[number];

/** The examples of the built-in model, with the answers that its float32 graphs gave when fed by Pillow. */
export async function examples(): Promise<readonly Example[]> {
  return examplesSchema.parse(JSON.parse(await readFile(path.join(BUILTIN_EXAMPLES, "examples.json"), "utf8")));
}

/** A picture of the examples as clients send it. */
export async function exampleDataUri(image: string): Promise<string> {
  const type = path.extname(image).slice(1).replace("jpg", "jpeg");
  return `data:image/${type};base64,${await readFile(path.join(BUILTIN_EXAMPLES, image), "base64")}`;
}
