import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import type { PromptReading } from "../../shared/releases/release.ts";
import type { HubFolder } from "./hub-folder.ts";

/** What upstream knows of a family by its class, and no file of a repository says: it goes into the release. */
interface FamilyDefaults {
  readonly prompt?: PromptReading;
  /** For families that have none: repositories of theirs bring no template. */
  readonly chatTemplate?: string;
}

/**
 * PaliGemma answers one prompt about pictures; its layout (`image-tokens/paligemma.ts`) does the rest.
 *
 * Source: transformers, models/paligemma (`token_type_ids` of the mask, `position_ids + 1`).
 */
const PALIGEMMA: FamilyDefaults = {
  prompt: { attention: "prefix", firstPosition: 1 },
  chatTemplate: [
    "{%- if messages | length != 1 or messages[0]['role'] != 'user' -%}",
    "{{- raise_exception('This model takes one message, of the user: it was not made for conversations.') -}}",
    "{%- endif -%}",
    "{%- for part in messages[0]['content'] if part['type'] == 'image' -%}{{- '<image>' -}}{%- endfor -%}",
    "{{- messages[0]['content'] | selectattr('type', 'equalto', 'text') | map(attribute='text') | join(' ') -}}",
  ].join(""),
};

/** BLIP-2 on OPT was made for `Question: ... Answer:`; its picture stands before (`image-tokens/query-tokens.ts`). */
const BLIP_2: FamilyDefaults = {
  chatTemplate: [
    "{%- for message in messages -%}",
    "{{- {'user': 'Question: ', 'assistant': 'Answer: ', 'system': ''}[message['role']] -}}",
    "{%- if message['content'] is string -%}{{- message['content'] + ' ' -}}{%- else -%}",
    "{%- for part in message['content'] if part['type'] == 'text' -%}{{- part['text'] + ' ' -}}{%- endfor -%}{%- endif -%}",
    "{%- endfor -%}{%- if add_generation_prompt -%}{{- 'Answer:' -}}{%- endif -%}",
  ].join(""),
};

const FAMILIES: Readonly<Record<string, FamilyDefaults | undefined>> = { "blip-2": BLIP_2, paligemma: PALIGEMMA };

export function familyDefaults(modelType: string): FamilyDefaults {
  return FAMILIES[modelType] ?? {};
}

const templateHolder = z.object({ chat_template: z.unknown().optional() });

/**
 * The folder's chat template, from where upstream looks: `source` is null for a list of several, of which the default is
 * chosen when it is read. Null when the folder has none.
 */
export async function findChatTemplate(
  folder: HubFolder,
): Promise<{ readonly file: string; readonly source: string | null } | null> {
  const jinja = "chat_template.jinja";
  if (folder.has(jinja)) return { file: jinja, source: await readFile(path.join(folder.root, jinja), "utf8") };
  for (const file of ["chat_template.json", "tokenizer_config.json"]) {
    if (!folder.has(file)) continue;
    const { chat_template } = templateHolder.catch({}).parse(await folder.json(file));
    if (typeof chat_template === "string") return { file, source: chat_template };
    if (Array.isArray(chat_template) && chat_template.length > 0) return { file, source: null };
  }
  return null;
}
