import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { ROOT } from "../../infra/paths.ts";

/** Small models with the whole structure of a family, and what `transformers` answers; beside the checkout, not in it. */
export const ZOO = process.env["FOVEA_ZOO"] ?? path.join(ROOT, "../shared/models/zoo");

export const FAMILIES = [
  "llava-mlp",
  "llava-linear",
  "smolvlm",
  "qwen2-vl",
  "glm4v",
  "idefics2",
  "llava-onevision",
  "instructblip",
] as const;

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

/** Whether the zoo is there: it is not part of the checkout. */
export function zooIsPresent(): boolean {
  return existsSync(path.join(ZOO, "README.md"));
}

export async function readReference(family: string): Promise<Reference> {
  return referenceSchema.parse(JSON.parse(await readFile(path.join(ZOO, family, "reference.json"), "utf8")));
}

/** A picture of the zoo as a data URI. */
export async function imageUrl(name: string): Promise<string> {
  const bytes = await readFile(path.join(ZOO, "images", name));
  return `data:image/png;base64,${bytes.toString("base64")}`;
}
