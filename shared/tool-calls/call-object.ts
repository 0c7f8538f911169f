import type { CallReader } from "./call-reader.ts";
import type { Reading } from "./tool-call.ts";

/** What may stand before the name of a call that has no marker: there an answer that is other JSON is told by its first member. */
const MEMBERS: ReadonlySet<string> = new Set(["name", "arguments", "parameters", "type", "id"]);

/**
 * A call as JSON: `{"name": "f", "arguments": {...}}`; all other members are read over. False when what stands there is none, for
 * the caller to rewind; from the name on it is a call, whatever follows.
 * @param known only functions that the model was told of are calls: for formats without a marker
 */
export function* callObject(reader: CallReader, known = false): Reading<boolean> {
  if (!(yield* reader.take("{"))) return false;
  let name: string | null = null;
  let early: string | null = null;
  let given = false;
  for (;;) {
    yield* reader.space();
    const member = stringOf(yield* reader.json());
    yield* reader.space();
    if (member === null || !(yield* reader.take(":"))) break;
    if (known && name === null && !MEMBERS.has(member)) return false;
    yield* reader.space();
    if ((member === "arguments" || member === "parameters") && !given) {
      if (name === null) early = yield* reader.json();
      else {
        given = true;
        if (!(yield* callArguments(reader))) break;
      }
    } else {
      const value = stringOf(yield* reader.json());
      if (member === "name" && name === null) {
        if (value === null || value === "" || (known && !reader.functions.has(value))) return false;
        name = value;
        yield* reader.begin(name);
      }
    }
    yield* reader.space();
    if (!(yield* reader.take(","))) break;
  }
  if (name === null) return false;
  if (!given) yield* reader.arguments(early === null ? "{}" : (stringOf(early) ?? early));
  if (yield* reader.take("}")) yield* reader.finish();
  return true;
}

/** `[{...}, {...}]`, each a call. */
export function* callList(reader: CallReader): Reading<boolean> {
  if (!(yield* reader.take("["))) return false;
  yield* reader.space();
  if (!(yield* callObject(reader))) return false;
  for (;;) {
    yield* reader.space();
    if (!(yield* reader.take(","))) break;
    yield* reader.space();
    if (!(yield* callObject(reader))) break;
  }
  yield* reader.take("]");
  return true;
}

/** Arguments as they are written; those that a model has put into a string are taken out of it. False when they break off. */
function* callArguments(reader: CallReader): Reading<boolean> {
  if ((yield* reader.peek()) !== '"') return (yield* reader.json(true)) !== null;
  const raw = yield* reader.json();
  yield* reader.arguments(raw === null ? "" : (stringOf(raw) ?? raw));
  return raw !== null;
}

function stringOf(raw: string | null): string | null {
  if (raw === null || !raw.startsWith('"')) return null;
  try {
    return JSON.parse(raw) as string;
  } catch {
    return null;
  }
}
