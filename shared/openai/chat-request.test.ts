import { describe, expect, it } from "vitest";
import { chatRequestSchema, type ChatRequest } from "./chat-request.ts";

function parse(more: object): ChatRequest {
  return chatRequestSchema.parse({ model: "m", messages: [{ role: "user", content: "x" }], ...more });
}

describe("chatRequestSchema", () => {
  it("takes what an assistant refused with as its text, alone or among other parts", () => {
    const content = [
      { type: "refusal", refusal: "No." },
      { type: "text", text: " Sorry." },
    ];
    expect(parse({ messages: [{ role: "assistant", content }] }).messages).toEqual([
      {
        role: "assistant",
        content: [
          { type: "text", text: "No." },
          { type: "text", text: " Sorry." },
        ],
      },
    ]);
    expect(() => parse({ messages: [{ role: "user", content }] })).toThrow("messages");
  });

  it.each([{ name: "x" }, { name: "x", schema: null }, { name: "x", strict: true, description: "An answer." }])(
    "takes a json_schema without a schema: %j",
    (json_schema) => {
      const { response_format } = parse({ response_format: { type: "json_schema", json_schema } });
      expect(response_format).toMatchObject({ type: "json_schema", json_schema: { name: "x" } });
    },
  );
});
