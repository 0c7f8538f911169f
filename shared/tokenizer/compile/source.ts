import * as z from "zod";
import { TokenizerCompileError } from "./unsupported.ts";

/** The parts of tokenizer.json, by their upstream names. Components are read by their own files. */

const component = z.looseObject({ type: z.string() });

const addedToken = z.looseObject({
  id: z.number().int().nonnegative(),
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
});

const file = z.looseObject({
  truncation: z.unknown().optional(),
  padding: z.unknown().optional(),
  added_tokens: z.array(addedToken).nullish(),
  normalizer: component.nullish(),
  pre_tokenizer: component.nullish(),
  post_processor: component.nullish(),
  decoder: component.nullish(),
  // Old files name no type: the keys tell.
  model: z.looseObject({ type: z.string().optional() }),
});

export type Component = z.infer<typeof component>;
export type SourceAddedToken = z.infer<typeof addedToken>;
export type SourceFile = z.infer<typeof file>;

export function parseSource(tokenizerJson: unknown): SourceFile {
  return parseWith(file, tokenizerJson, "file");
}

/** Checks one component's fields; the error names where it stands. */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, path: string): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new TokenizerCompileError([path, ...(issue?.path ?? [])].join("."), issue?.message ?? "is not as expected");
}
