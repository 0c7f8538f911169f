import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { s3Store } from "../../infra/store/s3-store.ts";
import { MODEL } from "./client.ts";
import { publishWithTools } from "./tools-model.ts";

const TOOLS_MODEL = "moji-tools";

const paint: OpenAI.ChatCompletionFunctionTool = {
  type: "function",
  function: {
    name: "paint",
    description: "Paints the background.",
    parameters: {
      type: "object",
      properties: { color: { type: "string", enum: ["red", "light blue"] }, twice: { type: "boolean" } },
      required: ["color", "twice"],
      additionalProperties: false,
    },
    strict: true,
  },
};
const wait: OpenAI.ChatCompletionFunctionTool = { type: "function", function: { name: "wait" } };
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "What is this?" }];
const named: OpenAI.ChatCompletionNamedToolChoice = { type: "function", function: { name: "paint" } };

type Body = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, "model" | "messages"> & {
  readonly model?: string;
  readonly messages?: OpenAI.ChatCompletionMessageParam[];
};

let directory: string;
let stack: Stack;
let client: OpenAI;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "fovea-tool-calls-"));
  stack = await startStack({ port: 0, originPort: 0, directory, apiKey: "test-key" });
  const store = s3Store(stack.s3.bucket, stack.s3);
  await publishWithTools(store, TOOLS_MODEL);
  store.close();
  client = new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey: stack.apiKey, maxRetries: 0 });
});
afterAll(async () => {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

function create(body: Body): Promise<OpenAI.ChatCompletion> {
  return client.chat.completions.create({ model: TOOLS_MODEL, messages, max_tokens: 400, ...body });
}

function callOf({ tool_calls }: OpenAI.ChatCompletionMessage, at = 0): { name: string; value: unknown } {
  const call = tool_calls?.[at];
  if (call?.type !== "function") throw new Error("no call");
  expect(call.id).toMatch(/^call_\w{24}$/);
  return { name: call.function.name, value: JSON.parse(call.function.arguments) };
}

const PAINTED = {
  color: expect.stringMatching(/^(?:red|light blue)$/) as string,
  twice: expect.any(Boolean) as boolean,
};

describe("tool calls", () => {
  it("call the function that is named, with arguments that follow its schema", async () => {
    const { choices, usage } = await create({ tools: [paint, wait], tool_choice: named, n: 2, temperature: 1 });
    expect(choices).toHaveLength(2);
    for (const { message, finish_reason, index } of choices) {
      expect([message.content, finish_reason, message.tool_calls?.length], String(index)).toEqual([
        null,
        "tool_calls",
        1,
      ]);
      expect(callOf(message)).toEqual({ name: "paint", value: PAINTED });
    }
    expect(new Set(choices.map(({ message }) => message.tool_calls?.[0]?.id)).size).toBe(2);
    expect(usage?.completion_tokens).toBeGreaterThan(10);
  });

  it("stream: id and name first, then the arguments by pieces, and no word of the format", async () => {
    const stream = client.chat.completions.stream({
      model: TOOLS_MODEL,
      messages,
      tools: [paint],
      tool_choice: named,
      seed: 1,
      temperature: 1,
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const deltas = chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []));
    expect(deltas[0]).toEqual({
      index: 0,
      id: expect.stringMatching(/^call_/) as string,
      type: "function",
      function: { name: "paint", arguments: "" },
    });
    expect(deltas.length).toBeGreaterThan(3);
    for (const delta of deltas.slice(1)) {
      expect(delta).toEqual({ index: 0, function: { arguments: expect.any(String) as string } });
    }
    expect(chunks.every(({ choices }) => !choices[0]?.delta.content)).toBe(true);
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    const message = choices[0]?.message;
    expect(message && callOf(message)).toEqual({ name: "paint", value: PAINTED });
  });

  it("are required, of any function or of those that are allowed, one or several", async () => {
    const { choices } = await create({ tools: [paint, wait], tool_choice: "required", parallel_tool_calls: false });
    expect(choices[0]?.message.tool_calls).toHaveLength(1);
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    const allowed = await create({
      tools: [paint, wait],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "wait" } }] },
      },
      parallel_tool_calls: false,
    });
    const message = allowed.choices[0]?.message;
    expect(message && callOf(message)).toEqual({ name: "wait", value: {} });
  });

  it("are the model's choice: an answer without one is text as ever", async () => {
    const { choices } = await create({ tools: [paint], response_format: { type: "text" } });
    expect(choices[0]?.message.tool_calls).toBeUndefined();
    expect(choices[0]?.message.content).not.toBe("");
    expect(choices[0]?.finish_reason).toMatch(/^(?:stop|length)$/);
  });

  it("tell the model of no tools with tool_choice none", async () => {
    const prompt = async (body: Body): Promise<number | undefined> => (await create(body)).usage?.prompt_tokens;
    const without = await prompt({});
    expect(await prompt({ tools: [paint], tool_choice: "none" })).toBe(without);
    expect(await prompt({ tools: [paint] })).toBeGreaterThan(without ?? 0);
  });

  it("go back to the model with their results", async () => {
    const first = await create({ tools: [paint], tool_choice: named });
    const message = first.choices[0]?.message;
    const [call] = message?.tool_calls ?? [];
    if (message === undefined || call === undefined) throw new Error("no call");
    const result: OpenAI.ChatCompletionMessageParam = { role: "tool", tool_call_id: call.id, content: "done" };
    const second = await create({ messages: [...messages, message, result], tools: [paint] });
    expect(second.usage?.prompt_tokens).toBeGreaterThan((first.usage?.prompt_tokens ?? 0) + 10);
  });

  it("or JSON of a schema, when both are asked for", async () => {
    const schema = {
      type: "object",
      properties: { ok: { type: "boolean" } },
      required: ["ok"],
      additionalProperties: false,
    };
    const { choices } = await create({
      tools: [paint],
      response_format: { type: "json_schema", json_schema: { name: "answer", schema } },
    });
    const [choice] = choices;
    if (choice?.message.tool_calls === undefined) {
      expect(JSON.parse(choice?.message.content ?? "")).toEqual({ ok: expect.any(Boolean) as boolean });
    } else expect(callOf(choice.message)).toEqual({ name: "paint", value: PAINTED });
  });
});

describe("bad tools", () => {
  const tool = (change: object): object => ({ type: "function", function: { ...paint.function, ...change } });
  const call = { id: "call_1", type: "function", function: { name: "paint", arguments: "{}" } };
  let deep: object = {};
  for (let i = 0; i < 100; i++) deep = { type: "object", properties: { x: deep } };
  const rows: [string, object, string | null][] = [
    ["a name with a space", { tools: [tool({ name: "a b" })] }, "tools[0].function.name"],
    ["a name of 65 letters", { tools: [tool({ name: "a".repeat(65) })] }, "tools[0].function.name"],
    ["129 tools", { tools: Array.from({ length: 129 }, (_, i) => tool({ name: `f${i}` })) }, "tools"],
    ["two of one name", { tools: [paint, paint] }, "tools"],
    ["a tool of another type", { tools: [{ type: "custom", custom: { name: "x" } }] }, "tools[0].type"],
    ["a schema that is a list", { tools: [tool({ parameters: [] })] }, "tools[0].function.parameters"],
    [
      "a schema that is none",
      { tools: [tool({ parameters: { type: "nonsense" } })], tool_choice: "required" },
      "tools",
    ],
    ["a schema nested 200 levels", { tools: [tool({ parameters: deep })] }, "tools[0].function.parameters"],
    ["a schema of 70,000 letters", { tools: [tool({ parameters: { enum: ["x".repeat(70_000)] } })] }, "tools"],
    ["a choice of nothing", { tool_choice: "required" }, "tool_choice"],
    ["a choice that is no tool", { tools: [wait], tool_choice: named }, "tool_choice"],
    ["an unknown choice", { tools: [wait], tool_choice: "maybe" }, "tool_choice"],
    [
      "a result without a call",
      { messages: [...messages, { role: "tool", tool_call_id: "x", content: "" }] },
      "messages[1].tool_call_id",
    ],
    ["a result without an id", { messages: [...messages, { role: "tool", content: "" }] }, "messages[1].tool_call_id"],
    [
      "arguments that are no object",
      {
        messages: [
          ...messages,
          { role: "assistant", tool_calls: [{ ...call, function: { name: "paint", arguments: "[1]" } }] },
        ],
      },
      "messages[1].tool_calls[0].function.arguments",
    ],
    ["a model whose template takes no tools", { model: MODEL, tools: [wait] }, "tools"],
  ];
  it.each(rows)("%s", async (_what, body, param) => {
    const response = await fetch(`${stack.edgeUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model: TOOLS_MODEL, messages, ...body }),
    });
    const { error } = (await response.json()) as { error: { code: string; message: string; param: string | null } };
    expect([response.status, error.code, error.param], error.message).toEqual([400, "invalid_request", param]);
    expect(error.message.length).toBeGreaterThan(10);
  });
});
