import { TokenizerCompileError } from "../compile/unsupported.ts";
import { complement, foldCase, property, type Ranges, union, whiteSpace } from "./ranges.ts";

/** A pattern as a tree. */
export type Node =
  | { readonly kind: "set"; readonly set: Ranges }
  | { readonly kind: "sequence" | "choice"; readonly nodes: readonly Node[] }
  | {
      readonly kind: "repeat";
      readonly node: Node;
      readonly least: number;
      readonly most: number;
      readonly lazy: boolean;
    }
  | { readonly kind: "next"; readonly set: Ranges; readonly negative: boolean };

const DIGITS = (): Ranges => property("Nd") ?? [];
/** `\w`: letters, marks, decimal digits, letter numbers, connectors, and those that Oniguruma adds: circled letters, digits of Latin-1. */
const WORD = (): Ranges =>
  union(
    ...["L", "M", "Nd", "Nl", "Pc"].map((name) => property(name) ?? []),
    [0xb2, 0xb3, 0xb9, 0xb9, 0xbc, 0xbe, 0x24b6, 0x24e9, 0x1f130, 0x1f149, 0x1f150, 0x1f169, 0x1f170, 0x1f189],
  );

/**
 * Parses the part of Oniguruma's syntax that tokenizers use: literals, classes, Unicode categories, groups, alternatives,
 * greedy and lazy repetition, `(?i:)`, and looking at the one character that follows. Anything else is an error: back
 * references, lookbehind, possessive repetition, anchors.
 */
export function parsePattern(pattern: string): Node {
  const characters = Array.from(pattern);
  let at = 0;
  let ignoreCase = false;

  const fail = (what: string): never => {
    throw new TokenizerCompileError("pattern", `${what} at ${at} of ${pattern}`);
  };
  const take = (): string => characters[at++] ?? fail("the pattern ends");
  const accept = (text: string): boolean => {
    if (characters.slice(at, at + text.length).join("") !== text) return false;
    at += text.length;
    return true;
  };
  const set = (ranges: Ranges): Node => ({ kind: "set", set: ignoreCase ? foldCase(ranges) : ranges });

  const parseChoice = (): Node => {
    const nodes = [parseSequence()];
    while (accept("|")) nodes.push(parseSequence());
    return nodes.length === 1 ? nodes[0] : { kind: "choice", nodes };
  };

  const parseSequence = (): Node => {
    const nodes: Node[] = [];
    while (at < characters.length && characters[at] !== "|" && characters[at] !== ")") nodes.push(parseRepeat());
    return nodes.length === 1 ? nodes[0] : { kind: "sequence", nodes };
  };

  const parseRepeat = (): Node => {
    let node = parseAtom();
    for (;;) {
      const bounds = parseBounds();
      if (bounds === undefined) return node;
      if (node.kind === "next") fail("a lookahead is repeated");
      const [least, most] = bounds;
      if (accept("+")) fail("a possessive repetition stands");
      node = { kind: "repeat", node, least, most, lazy: accept("?") };
    }
  };

  const parseBounds = (): readonly [number, number] | undefined => {
    if (accept("*")) return [0, Infinity];
    if (accept("+")) return [1, Infinity];
    if (accept("?")) return [0, 1];
    const braces = /^\{(\d*)(,?)(\d*)\}/.exec(characters.slice(at, at + 12).join(""));
    if (braces === null) return undefined;
    const [text, least, comma, most] = braces;
    if (least === "" && most === "") return undefined;
    at += text.length;
    const bounds = [Number(least), comma === "" ? Number(least) : most === "" ? Infinity : Number(most)] as const;
    if (bounds[0] > 255 || (bounds[1] !== Infinity && bounds[1] > 255)) fail("a repetition counts too far");
    return bounds;
  };

  const parseAtom = (): Node => {
    const character = take();
    switch (character) {
      case "(":
        return parseGroup();
      case "[":
        return set(parseClass());
      case ".":
        return set(complement([0x0a, 0x0a]));
      case "\\":
        return set(parseEscape());
      case "^":
      case "$":
      case "*":
      case "+":
      case "?":
        return fail(`${character} stands`);
      default:
        return set(single(character));
    }
  };

  const parseGroup = (): Node => {
    const outer = ignoreCase;
    if (accept("?:")) ignoreCase = outer;
    else if (accept("?i:")) ignoreCase = true;
    else if (accept("?=") || accept("?!")) {
      const negative = characters[at - 1] === "!";
      const inner = parseChoice();
      if (!accept(")")) fail("a group is not closed");
      if (inner.kind !== "set") return fail("a lookahead of more than one character stands");
      return { kind: "next", set: inner.set, negative };
    } else if (accept("?i)")) {
      ignoreCase = true;
      return { kind: "sequence", nodes: [] };
    } else if (characters[at] === "?") fail("a group of an unknown kind stands");
    const node = parseChoice();
    if (!accept(")")) fail("a group is not closed");
    ignoreCase = outer;
    return node;
  };

  const parseClass = (): Ranges => {
    const negative = accept("^");
    const sets: Ranges[] = [];
    while (!accept("]") || sets.length === 0) {
      if (accept("[")) {
        if (characters[at] === ":") fail("a POSIX class stands");
        sets.push(parseClass());
        continue;
      }
      if (accept("&&")) fail("an intersection of classes stands");
      const first = accept("\\") ? parseEscape() : single(take());
      if (characters[at] === "-" && characters[at + 1] !== "]" && first.length === 2 && first[0] === first[1]) {
        at++;
        const last = accept("\\") ? parseEscape() : single(take());
        if (last.length !== 2 || last[0] !== last[1] || last[0] < first[0]) fail("a range is broken");
        sets.push([first[0], last[0]]);
      } else sets.push(first);
    }
    const ranges = ignoreCase ? foldCase(union(...sets)) : union(...sets);
    return negative ? complement(ranges) : ranges;
  };

  const parseEscape = (): Ranges => {
    const character = take();
    const simple = SIMPLE[character];
    if (simple !== undefined) return [simple, simple];
    switch (character) {
      case "s":
        return whiteSpace();
      case "S":
        return complement(whiteSpace());
      case "d":
        return DIGITS();
      case "D":
        return complement(DIGITS());
      case "w":
        return WORD();
      case "W":
        return complement(WORD());
      case "p":
      case "P": {
        const name = /^\{(\^?)([A-Za-z]+)\}/.exec(characters.slice(at, at + 24).join(""));
        const ranges = name === null ? undefined : property(name[2]);
        if (name === null || ranges === undefined) return fail("an unknown property stands");
        at += name[0].length;
        return (character === "P") !== (name[1] === "^") ? complement(ranges) : ranges;
      }
      case "x":
      case "u": {
        const hex = /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2}))/.exec(
          characters.slice(at, at + 8).join(""),
        );
        if (hex === null) return fail("a broken code point stands");
        const digits = hex[1] ?? (character === "u" ? hex[2] : (hex[2] ?? hex[3]).slice(0, 2));
        at += hex[1] === undefined ? digits.length : digits.length + 2;
        return [Number.parseInt(digits, 16), Number.parseInt(digits, 16)];
      }
      default:
        return /[A-Za-z0-9]/.test(character) ? fail(`\\${character} stands`) : single(character);
    }
  };

  const node = parseChoice();
  if (at < characters.length) fail("a group is closed that was not opened");
  return node;
}

const SIMPLE: Readonly<Record<string, number | undefined>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27, "0": 0 };

function single(character: string): Ranges {
  const codePoint = character.codePointAt(0) ?? 0;
  return [codePoint, codePoint];
}
