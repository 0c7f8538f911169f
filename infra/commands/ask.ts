import { defineCommand } from "citty";
import OpenAI from "openai";
import type { Span, Timing } from "../../shared/openai/timing.ts";
import { BUILTIN_MODEL } from "../local/builtin.ts";
import { dirArg } from "../local/running.ts";
import { contentOf, readAsked } from "./ask/content.ts";
import { explain, findEndpoint } from "./ask/endpoint.ts";

/** `fovea ask PICTURE... QUESTION`: what the playground does, from a terminal. */
export default defineCommand({
  meta: { name: "ask", description: 'Ask a question about pictures: fovea ask picture.png "What is this?"' },
  args: {
    inputs: {
      type: "positional",
      required: true,
      many: true,
      description: "PICTURE... [QUESTION] (default: What is this?)",
    },
    url: { type: "string", description: "Base URL of a deployment; default: what `npm start` runs here" },
    dir: dirArg,
    key: { type: "string", description: "API key; default: FOVEA_API_KEY, else fovea-local" },
    model: { type: "string", default: BUILTIN_MODEL, description: "Model to ask" },
    timing: { type: "boolean", default: false, description: "Show where the time went" },
    json: { type: "boolean", default: false, description: "Print the whole answer as JSON" },
  },
  async run({ args }) {
    const asked = await readAsked(args._);
    const endpoint = await findEndpoint(args.url, args.dir);
    const apiKey = args.key ?? process.env["FOVEA_API_KEY"] ?? "fovea-local";
    const client = new OpenAI({ baseURL: endpoint.baseURL, apiKey });
    const body = {
      model: args.model,
      messages: [{ role: "user" as const, content: await contentOf(asked) }],
    };
    try {
      if (args.json) console.log(JSON.stringify(await client.chat.completions.create(body), null, 2));
      else await printStream(await client.chat.completions.create({ ...body, stream: true }), args.timing);
    } catch (error) {
      throw explain(error, endpoint, asked.pictures);
    }
  },
});

async function printStream(stream: AsyncIterable<OpenAI.ChatCompletionChunk>, showTiming: boolean): Promise<void> {
  let timing: Timing | undefined;
  for await (const chunk of stream) {
    process.stdout.write(chunk.choices[0]?.delta.content ?? "");
    timing = (chunk as { fovea?: { timing: Timing } }).fovea?.timing ?? timing;
  }
  process.stdout.write("\n");
  if (showTiming && timing !== undefined) console.log(waterfall(timing));
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
