/** What the library writes for white space of a bounded length: none, or one and then what the next rule says. */
const WHITESPACE = /^\("" \| \(\[ \\n\\t\](?: ([\w.-]+))?\)\)$/;

/**
 * A grammar as the library writes it, with the rules for white space merged that say the same. Each place where white space may stand
 * has 16 rules of its own, a chain, and the library makes a mask for each: of an object with 20 strings nine tenths of the time to
 * compile. The first rule of each chain stays: the library's parser takes the end of one place for that of another where both
 * name one rule that may be empty.
 */
export function mergeWhitespace(grammar: string): string {
  const lines = grammar.split("\n");
  const next = new Map<string, string | undefined>();
  for (const line of lines) {
    const [name, body] = ruleOf(line);
    const chain = WHITESPACE.exec(body);
    if (chain !== null) next.set(name, chain[1]);
  }
  const lengths = new Map([...next.keys()].map((name) => [name, lengthOf(name, next)]));
  const inner = new Set([...next.values()].filter((name) => name !== undefined));
  /** Which rule stays, by its length. */
  const kept = new Map<number | undefined, string>();
  for (const name of inner) if (!kept.has(lengths.get(name))) kept.set(lengths.get(name), name);
  const merged = lines.flatMap((line) => {
    const [name] = ruleOf(line);
    const length = lengths.get(name);
    if (length === undefined) return [line];
    if (inner.has(name) && kept.get(length) !== name) return [];
    const rest = length === 1 ? "" : ` ${kept.get(length - 1) ?? ""}`;
    return [`${name} ::= ("" | ([ \\n\\t]${rest}))`];
  });
  return merged.join("\n");
}

/** How much white space a rule takes. */
function lengthOf(first: string, next: ReadonlyMap<string, string | undefined>): number {
  let length = 1;
  for (let at = next.get(first); at !== undefined && length <= next.size; at = next.get(at)) length++;
  return length;
}

function ruleOf(line: string): [name: string, body: string] {
  const at = line.indexOf(" ::= ");
  return at === -1 ? ["", ""] : [line.slice(0, at), line.slice(at + " ::= ".length)];
}
