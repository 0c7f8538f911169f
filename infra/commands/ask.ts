import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import OpenAI from "openai";
import type { Span, Timing } from "../../shared/openai/timing.ts";
import { BUILTIN_MODEL } from "../local/builtin.ts";
import { UsageError } from "../usage.ts";
import { runningStack } from "../local/running.ts";

/** `fovea ask PICTURE... QUESTION`: what the playground does, from a terminal. */
export default defineCommand({
  meta: { name: "ask", description: 'Ask a question about pictures: fovea ask picture.png "What is this?"' },
  args: {
    inputs: { type: "positional", required: true, many: true, description: "PICTURE... QUESTION" },
    url: { type: "string", description: "Base URL of a deployment; default: what `npm start` runs here" },
    key: { type: "string", description: "API key; default: FOVEA_API_KEY, else fovea-local" },
    model: { type: "string", default: BUILTIN_MODEL, description: "Model to ask" },
    timing: { type: "boolean", default: false, description: "Show where the time went" },
    json: { type: "boolean", default: false, description: "Print the whole answer as JSON" },
  },
  async run({ args }) {
    const question = args._.at(-1) ?? "";
    const pictures = args._.slice(0, -1);
    const client = new OpenAI({
      baseURL: `${(args.url ?? (await runningStack()).edge).replace(/\/+$/, "")}/v1`,
      apiKey: args.key ?? process.env["FOVEA_API_KEY"] ?? "fovea-local",
    });
    const body = {
      model: args.model,
      messages: [{ role: "user" as const, content: await contentOf(pictures, question) }],
    };
    if (args.json) {
      console.log(JSON.stringify(await client.chat.completions.create(body), null, 2));
      return;
    }
    const stream = await client.chat.completions.create({ ...body, stream: true });
    let timing: Timing | undefined;
    for await (const chunk of stream) {
      process.stdout.write(chunk.choices[0]?.delta.content ?? "");
      timing = (chunk as { fovea?: { timing: Timing } }).fovea?.timing ?? timing;
    }
    process.stdout.write("\n");
    if (args.timing && timing !== undefined) console.log(waterfall(timing));
  },
});

async function contentOf(pictures: readonly string[], question: string): Promise<OpenAI.ChatCompletionContentPart[]> {
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

const BAR_WIDTH = 40;

/** Spans under each other, as bars on one time axis. */
function waterfall({ spans, total_ms, wire_bytes, decode_steps, local }: Timing): string {
  const scale = BAR_WIDTH / Math.max(total_ms, 1);
  const line = ({ name, place, start_ms, duration_ms }: Span): string => {
    const bar = " ".repeat(Math.round(start_ms * scale)) + "█".repeat(Math.max(1, Math.round(duration_ms * scale)));
    return `  ${name.padEnd(13)} ${place.padEnd(8)} ${duration_ms.toFixed(1).padStart(8)} ms  ${bar}`;
  };
  const clock = local ? "" : " (the edge's clock stands still while it computes)";
  return [
    "",
    ...spans.map(line),
    `  total ${total_ms.toFixed(1)} ms, ${wire_bytes} bytes on the wire, ${decode_steps} decode steps${clock}`,
  ].join("\n");
}
