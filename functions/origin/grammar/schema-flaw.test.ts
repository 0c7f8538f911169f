import { describe, expect, it } from "vitest";
import { schemaFlaw } from "./schema-flaw.ts";

const json = (schema: unknown): string | null => schemaFlaw({ kind: "json_schema", source: JSON.stringify(schema) });

describe("schemaFlaw", () => {
  it.each([
    [{ not: {} }, "not"],
    [{ type: "object", properties: { a: { items: [{ anyOf: [{ not: { const: 1 } }] }] } } }, "not"],
    [{ $defs: { not: { if: { const: 1 }, else: false } }, $ref: "#/$defs/not" }, "if"],
    [{ type: "array", contains: { const: 1 } }, "contains"],
    [{ allOf: [{ type: "object" }, { required: ["a"] }] }, "allOf"],
  ])("names what nothing keeps: %j", (schema, keyword) => {
    expect(json(schema)).toContain(keyword);
  });

  it.each([
    { type: "object", properties: { not: { type: "string" }, if: { enum: [{ not: 1 }] } }, required: ["not"] },
    { const: { not: {} }, default: { if: 1 }, examples: [{ contains: 1 }] },
    { allOf: [{ type: "integer" }] },
    true,
  ])("takes names and values for what they are: %j", (schema) => {
    expect(json(schema)).toBeNull();
  });

  it("looks into the schemas of a structural tag, and at nothing else there", () => {
    const tag = (schema: unknown): string =>
      JSON.stringify({ format: { type: "tag", not: 1, content: { type: "json_schema", json_schema: schema } } });
    expect(schemaFlaw({ kind: "structural_tag", source: tag({ type: "integer" }) })).toBeNull();
    expect(schemaFlaw({ kind: "structural_tag", source: tag({ not: {} }) })).toContain("not");
  });

  it("refuses what is nested too deeply", () => {
    expect(schemaFlaw({ kind: "json_schema", source: '{"items":'.repeat(500) + "{}" + "}".repeat(500) })).toContain(
      "nested",
    );
  });
});
