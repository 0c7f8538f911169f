import { describe, expect, it } from "vitest";
import { chatRequestSchema } from "../../../shared/openai/chat-request.ts";
import { answerGrammar, type AnswerGrammar } from "./grammar.ts";

function grammar(response_format: object): AnswerGrammar {
  const messages = [{ role: "user", content: "x" }];
  return answerGrammar(chatRequestSchema.parse({ model: "m", messages, response_format }), null);
}

describe("answerGrammar", () => {
  it("holds an answer to the schema, to any object without one, and to nothing for text", () => {
    const schema = { type: "array" };
    expect(grammar({ type: "json_schema", json_schema: { name: "x", schema } })).toEqual({
      json_schema: JSON.stringify(schema),
    });
    const anyObject = { json_schema: '{"type":"object"}' };
    expect(grammar({ type: "json_schema", json_schema: { name: "x" } })).toEqual(anyObject);
    expect(grammar({ type: "json_object" })).toEqual(anyObject);
    expect(grammar({ type: "text" })).toEqual({});
  });
});
