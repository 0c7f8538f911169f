/**
 * Combining marks that stand in a row. No word of any language has that many; engines put them in order by insertion, in a
 * time that grows with the square of their number.
 */
const LONG_RUN = /[\p{M}\uFF9E\uFF9F]{32,}/gu;

/** Marks of the lowest and of the highest combining class: one of them changes places with any other mark. */
const LOWEST = "\u0334";
const HIGHEST = "\u0345";

/**
 * Puts long runs of combining marks into canonical order by a stable sort, so that the engine's `normalize` has nothing to
 * move. The result is canonically (or for the K forms, compatibly) equivalent to the text.
 */
export function sortLongRuns(text: string, form: "NFC" | "NFD" | "NFKC" | "NFKD"): string {
  const decomposition = form === "NFKC" || form === "NFKD" ? "NFKD" : "NFD";
  return text.replace(LONG_RUN, (run) => {
    const known = new Map<string, string>();
    const pieces: string[] = [];
    for (const character of run) {
      let decomposed = known.get(character);
      if (decomposed === undefined) {
        decomposed = character.normalize(decomposition);
        known.set(character, decomposed);
      }
      for (const piece of decomposed) pieces.push(piece);
    }
    return sortMarks(pieces).join("");
  });
}

/** Sorts each row of marks between characters that never move, by the class of each. */
function sortMarks(marks: readonly string[]): string[] {
  const classes = combiningClasses(marks);
  const sorted: string[] = [];
  let buckets = new Map<number, string[]>();
  const flush = (): void => {
    for (const [, bucket] of [...buckets].toSorted(([a], [b]) => a - b)) for (const mark of bucket) sorted.push(mark);
    buckets = new Map();
  };
  for (const mark of marks) {
    const order = classes.get(mark) ?? 0;
    if (order === 0) {
      flush();
      sorted.push(mark);
      continue;
    }
    const bucket = buckets.get(order);
    if (bucket === undefined) buckets.set(order, [mark]);
    else bucket.push(mark);
  }
  flush();
  return sorted;
}

/** A number for each mark that orders them as their combining classes do; 0 for what never moves. */
function combiningClasses(marks: readonly string[]): ReadonlyMap<string, number> {
  const moves = (before: string, after: string): boolean => (before + after).normalize("NFD") !== before + after;
  const classes = new Map<string, number>();
  const distinct = [...new Set(marks)];
  const moving = distinct.filter((mark) => moves(HIGHEST, mark) || moves(mark, LOWEST));
  moving.sort((a, b) => (moves(a, b) ? 1 : moves(b, a) ? -1 : 0));
  let order = 0;
  let last: string | undefined;
  for (const mark of moving) {
    if (last === undefined || moves(mark, last) || moves(last, mark)) order++;
    classes.set(mark, order);
    last = mark;
  }
  return classes;
}
