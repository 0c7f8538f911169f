import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { ROOT } from "../../infra/paths.ts";

/** Models that are part of the repository, made by `test/zoo/recipes`: every test run asks them. */
export const FIXTURES = path.join(ROOT, "test/zoo/models");

/** More of them, beside the checkout: `npm run zoo` asks them where they are. */
export const ZOO = process.env["FOVEA_ZOO"] ?? path.join(ROOT, "../shared/models/zoo");

/** A small random model with the whole structure of a family. */
export interface ZooModel {
  readonly name: string;
  /** In the hub's layout, with a `reference.json` of what `transformers` answers; its pictures lie in `../images`. */
  readonly directory: string;
}

/** The models in a folder, by name; none where there is no such folder. */
export function modelsIn(folder: string): readonly ZooModel[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => ({ name, directory: path.join(folder, name) }))
    .filter(({ directory }) => existsSync(path.join(directory, "reference.json")));
}

const part = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("image"), image: z.string() }),
]);

const referenceSchema = z.object({
  about: z.object({ eos_token_id: z.array(z.int()) }),
  requests: z.array(
    z.object({
      name: z.string(),
      messages: z.array(z.object({ role: z.enum(["user", "assistant", "system"]), content: z.array(part) })),
      images: z.array(z.string()),
      input_ids: z.array(z.int()),
      output_ids: z.array(z.int()),
      text: z.string(),
    }),
  ),
});

export type Reference = z.output<typeof referenceSchema>;
export type ReferenceRequest = Reference["requests"][number];

export async function readReference({ directory }: ZooModel): Promise<Reference> {
  return referenceSchema.parse(JSON.parse(await readFile(path.join(directory, "reference.json"), "utf8")));
}

/** `model_type` of config.json. */
export async function familyOf({ directory }: ZooModel): Promise<string> {
  const config = await readFile(path.join(directory, "config.json"), "utf8");
  return z.object({ model_type: z.string() }).parse(JSON.parse(config)).model_type;
}

/** A picture of a model's requests as a data URI. */
export async function imageUrl({ directory }: ZooModel, name: string): Promise<string> {
  const bytes = await readFile(path.join(directory, "../images", name));
  return `data:image/png;base64,${bytes.toString("base64")}`;
}
