import * as z from "zod";
import type { ReleaseReader } from "../../../shared/releases/release-reader.ts";

const named = z.union([
  z.string(),
  z.array(z.object({ name: z.string(), template: z.string() })).transform((list) => {
    return list.find(({ name }) => name === "default")?.template ?? list[0]?.template ?? "";
  }),
]);

const holder = z.object({ chat_template: named.nullish() });

/** A special token in `tokenizer_config.json`: a string, or an added token with its content. */
const token = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]).nullish();

const specialTokens = z.object({ bos_token: token, eos_token: token, pad_token: token, unk_token: token });

/** The four special tokens that templates may write. */
export type SpecialTokens = z.output<typeof specialTokens>;

/**
 * The chat template, from where upstream looks: `chat_template.jinja`, `chat_template.json`, `tokenizer_config.json`.
 * null when the release has none.
 */
export async function chatTemplateSource(reader: ReleaseReader): Promise<string | null> {
  if (reader.has("chat_template.jinja")) return reader.text("chat_template.jinja");
  for (const file of ["chat_template.json", "tokenizer_config.json"]) {
    if (!reader.has(file)) continue;
    const { chat_template } = holder.parse(await reader.json(file));
    if (typeof chat_template === "string" && chat_template !== "") return chat_template;
  }
  return null;
}

export async function readSpecialTokens(reader: ReleaseReader): Promise<SpecialTokens> {
  return specialTokens.parse(reader.has("tokenizer_config.json") ? await reader.json("tokenizer_config.json") : {});
}
