import type * as z from "zod";
import { FoveaError } from "../../../shared/errors/error.ts";

/**
 * JSON text through a schema, once, at the boundary.
 * @throws FoveaError `invalid_json`, or `invalid_request` with the path of the first field that does not fit
 */
export function parseJson<T>(text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FoveaError("invalid_json", "The body is not valid JSON.", { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = deepest(result.error.issues);
  const param = formatPath(issue.path);
  const message = param === "" ? issue.message : `${param}: ${issue.message}`;
  throw new FoveaError("invalid_request", message, param === "" ? {} : { param });
}

/** Inside a union the issue that got furthest says most. */
function deepest(issues: readonly z.core.$ZodIssue[]): { path: readonly PropertyKey[]; message: string } {
  const [first] = issues;
  if (first === undefined) return { path: [], message: "The request is not valid." };
  if (first.code !== "invalid_union" || first.errors.length === 0) return first;
  const inner = first.errors.map(deepest).toSorted((a, b) => b.path.length - a.path.length)[0];
  if (inner === undefined || inner.path.length === 0) return first;
  return { path: [...first.path, ...inner.path], message: inner.message };
}

/** `messages[0].content[1].image_url`, as OpenAI writes it. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}
