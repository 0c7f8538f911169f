import { readFile, stat } from "node:fs/promises";
import type OpenAI from "openai";
import { UsageError } from "../../usage.ts";

const DEFAULT_QUESTION = "What is this?";

export interface Asked {
  readonly pictures: readonly string[];
  readonly question: string;
}

/** `PICTURE... QUESTION`; the last one is a picture, too, when there is a file of that name. */
export async function readAsked(inputs: readonly string[]): Promise<Asked> {
  const last = inputs.at(-1) ?? "";
  const found = await stat(last).catch(() => null);
  return found?.isFile() === true
    ? { pictures: inputs, question: DEFAULT_QUESTION }
    : { pictures: inputs.slice(0, -1), question: last };
}

/** Parts of the message: the pictures in their order, then the question. Throws UsageError for a file that cannot be read. */
export async function contentOf({ pictures, question }: Asked): Promise<OpenAI.ChatCompletionContentPart[]> {
  const parts = await Promise.all(pictures.map(picturePart));
  return [...parts, { type: "text", text: question }];
}

async function picturePart(file: string): Promise<OpenAI.ChatCompletionContentPart> {
  const bytes = await readFile(file).catch(() => {
    throw new UsageError(`There is no picture ${file}. The question comes last, in quotes.`);
  });
  // The edge goes by the bytes, whatever type the URI claims.
  return { type: "image_url", image_url: { url: `data:image/png;base64,${bytes.toString("base64")}` } };
}
