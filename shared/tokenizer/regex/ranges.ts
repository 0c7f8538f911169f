import { CATEGORY_NAMES, categoryOfEveryCodePoint, CODE_POINTS } from "../unicode/categories.ts";

/** A set of code points as sorted pairs (first, last). */
export type Ranges = readonly number[];

export function union(...sets: readonly Ranges[]): Ranges {
  const pairs = sets.flatMap((set) => Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i], set[2 * i + 1]]));
  pairs.sort(([a], [b]) => a - b);
  const out: number[] = [];
  for (const [first, last] of pairs) {
    if (out.length > 0 && first <= out[out.length - 1] + 1) out[out.length - 1] = Math.max(out[out.length - 1], last);
    else out.push(first, last);
  }
  return out;
}

export function complement(set: Ranges): Ranges {
  const out: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i] > next) out.push(next, set[i] - 1);
    next = set[i + 1] + 1;
  }
  if (next < CODE_POINTS) out.push(next, CODE_POINTS - 1);
  return out;
}

let byCategory: ReadonlyMap<string, Ranges> | undefined;

/** Ranges of each general category. Computed once, when a pattern is compiled. */
function categories(): ReadonlyMap<string, Ranges> {
  if (byCategory !== undefined) return byCategory;
  const all = categoryOfEveryCodePoint();
  const sets = new Map<string, number[]>(CATEGORY_NAMES.map((name) => [name, []]));
  for (let first = 0; first < all.length;) {
    let last = first;
    while (last + 1 < all.length && all[last + 1] === all[first]) last++;
    sets.get(CATEGORY_NAMES[all[first]])?.push(first, last);
    first = last + 1;
  }
  byCategory = sets;
  return sets;
}

/** `\s` of Oniguruma. */
export function whiteSpace(): Ranges {
  return union(...["Zs", "Zl", "Zp", "SPACE", "NEWLINE"].map((name) => categories().get(name) ?? []));
}

/** `\p{name}` for general categories and their groups; undefined for other properties. */
export function property(name: string): Ranges | undefined {
  const sets = categories();
  if (!/^[A-Z][a-z]?$/.test(name)) return undefined;
  // The white space among the controls has names of its own in the table.
  const controls = name === "Cc" || name === "C" ? ["SPACE", "NEWLINE"] : [];
  const names = [...sets.keys()].filter(
    (key) => key === name || (name.length === 1 && key.length === 2 && key.startsWith(name)),
  );
  return names.length === 0 ? undefined : union(...[...names, ...controls].map((key) => sets.get(key) ?? []));
}

/** A set with all characters that differ from its own in case only (simple folding, as Oniguruma's `(?i)`). */
export function foldCase(set: Ranges): Ranges {
  const out: number[] = [...set];
  for (let i = 0; i < set.length; i += 2) {
    // Large sets are classes like \p{L}, which hold both cases already.
    if (set[i + 1] - set[i] > 1000) continue;
    for (let codePoint = set[i]; codePoint <= set[i + 1]; codePoint++) {
      for (const other of caseVariants(codePoint)) out.push(other, other);
    }
  }
  return union(out);
}

function caseVariants(codePoint: number): number[] {
  const character = String.fromCodePoint(codePoint);
  const variants = new Set([character.toLowerCase(), character.toUpperCase()]);
  const upper = character.toUpperCase();
  // Those whose capital is the same: long s beside s, the Kelvin sign beside k.
  if (upper === "S") variants.add("\u017F");
  if (upper === "K" || character === "\u212A") for (const k of ["k", "K", "\u212A"]) variants.add(k);
  if (upper === "\u00C5" || character === "\u212B") for (const a of ["\u00E5", "\u00C5", "\u212B"]) variants.add(a);
  return [...variants].filter((text) => Array.from(text).length === 1).map((text) => text.codePointAt(0) ?? codePoint);
}
