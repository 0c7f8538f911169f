import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import OpenAI from "openai";
import { startStack } from "../../infra/local/stack.ts";
import { s3Store } from "../../infra/store/s3-store.ts";
import { publishWithTools } from "./tools-model.ts";

/**
 * Tool calls of a real language model through edge, origin and the official client.
 *
 *     node test/conformance/real-tools.ts --model DIR
 *
 * DIR is a folder in the hub's layout, of a model whose chat is ChatML (SmolLM2 for one); it gets a chat template that takes
 * tools. Exits 1 when a call is not what its grammar and its schema allow.
 */
const { values } = parseArgs({ options: { model: { type: "string", default: "" } } });
if (existsSync(values.model)) await run(values.model);
else console.error(`SKIPPED, nothing was tested: there is no model folder at "${values.model}" (--model DIR)`);

async function run(folder: string): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "fovea-real-tools-"));
  const stack = await startStack({ port: 0, originPort: 0, directory, apiKey: "test-key" });
  try {
    const store = s3Store(stack.s3.bucket, stack.s3);
    await publishWithTools(store, "real", folder);
    store.close();
    const client = new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey: stack.apiKey, timeout: 300_000 });
    const questions = ["What is the weather in Paris?", "Is it cold in Oslo today?", "Weather for three days in Rome."];
    let good = 0;
    for (const question of questions) {
      for (const choice of [{ type: "function" as const, function: { name: "get_weather" } }, "required" as const]) {
        const ok = await ask(client, question, choice);
        if (ok) good++;
      }
    }
    console.log(`${good} of ${2 * questions.length} calls follow the schema`);
    if (good < 2 * questions.length) process.exitCode = 1;
  } finally {
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function ask(
  client: OpenAI,
  content: string,
  tool_choice: OpenAI.ChatCompletionToolChoiceOption,
): Promise<boolean> {
  const stream = client.chat.completions.stream({
    model: "real",
    messages: [{ role: "user", content }],
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          description: "The weather of a city.",
          parameters: {
            type: "object",
            properties: { city: { type: "string" }, days: { type: "integer", minimum: 1, maximum: 7 } },
            required: ["city", "days"],
            additionalProperties: false,
          },
        },
      },
    ],
    tool_choice,
    parallel_tool_calls: false,
  });
  const { choices } = await stream.finalChatCompletion();
  const call = choices[0]?.message.tool_calls?.find((one) => one.type === "function");
  console.log(`${content} -> ${call?.function.name ?? "no call"} ${call?.function.arguments ?? ""}`);
  if (call === undefined || choices[0]?.finish_reason !== "tool_calls") return false;
  const { city, days } = JSON.parse(call.function.arguments) as { city: unknown; days: unknown };
  return call.function.name === "get_weather" && typeof city === "string" && Number.isInteger(days);
}
