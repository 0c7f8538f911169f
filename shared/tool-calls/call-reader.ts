import type { FunctionTool, Reading } from "./tool-call.ts";

const SPACE = " \t\n\r";

/**
 * The text of an answer as a format reads it: from the front, while the end is still being written. Methods are generators
 * that yield undefined where they need more text, so that a format is plain code from the first character to the last.
 */
export class CallReader {
  /** Functions that the model knows of, by name. */
  readonly functions: ReadonlyMap<string, FunctionTool>;
  #text = "";
  #at = 0;
  #ended = false;
  /** What was read since the mark and is no longer in `#text`; null without a mark. Apart, so that no piece copies it. */
  #kept: string | null = null;
  #calls = 0;
  /** White space before the last marker. */
  #space = "";
  /** Whether content was given since the last call. */
  #inContent = false;

  constructor(functions: readonly FunctionTool[]) {
    this.functions = new Map(functions.map((tool) => [tool.name, tool]));
  }

  append(text: string): void {
    if (this.#kept !== null) this.#kept += this.#text.slice(0, this.#at);
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
  }

  end(): void {
    this.#ended = true;
  }

  mark(): void {
    this.#text = this.#text.slice(this.#at);
    this.#at = 0;
    this.#kept = "";
  }

  /** What was read since the mark is read for good. */
  unmark(): void {
    this.#kept = null;
  }

  /** Back to the mark: what looked like a call is none. */
  rewind(): void {
    if (this.#kept === null) return;
    this.#text = this.#kept + this.#text;
    this.#at = 0;
    this.#kept = null;
  }

  /** The next character, not taken; "" at the end. */
  *peek(): Reading<string> {
    while (this.#at === this.#text.length) if (!(yield* this.#more())) return "";
    return this.#text.charAt(this.#at);
  }

  *space(): Reading {
    for (;;) {
      const char = yield* this.peek();
      if (char === "" || !SPACE.includes(char)) return;
      this.#at++;
    }
  }

  /** Takes these characters if they come next. */
  *take(literal: string): Reading<boolean> {
    for (;;) {
      const next = this.#text.slice(this.#at, this.#at + literal.length);
      if (next === literal) {
        this.#at += literal.length;
        return true;
      }
      if (!literal.startsWith(next) || !(yield* this.#more())) return false;
    }
  }

  /** The text before a word, and the word taken; null when it never comes. */
  *until(word: string): Reading<string | null> {
    let text = "";
    for (;;) {
      const found = this.#text.indexOf(word, this.#at);
      if (found !== -1) {
        text += this.#text.slice(this.#at, found);
        this.#at = found + word.length;
        return text;
      }
      const safe = this.#text.length - openEnd(this.#text, this.#at, word);
      text += this.#text.slice(this.#at, safe);
      this.#at = safe;
      if (yield* this.#more()) continue;
      this.#at = this.#text.length;
      return null;
    }
  }

  /**
   * Gives text as content until the marker, which is taken; false when it never comes. The beginning of a marker is held back, and
   * so is white space: that before and after calls belongs to the format, and is dropped.
   */
  *content(marker: string): Reading<boolean> {
    for (;;) {
      const found = this.#text.indexOf(marker, this.#at);
      if (found !== -1) {
        const text = this.#text.slice(this.#at, found);
        yield* this.#give(text.trimEnd());
        this.#space = text.slice(text.trimEnd().length);
        this.#at = found + marker.length;
        return true;
      }
      const safe = this.#text.length - openEnd(this.#text, this.#at, marker);
      const text = this.#text.slice(this.#at, safe).trimEnd();
      this.#at += text.length;
      yield* this.#give(text);
      if (yield* this.#more()) continue;
      const rest = this.#text.slice(this.#at);
      this.#at = this.#text.length;
      yield* this.#give(this.#calls === 0 ? rest : rest.trimEnd());
      return false;
    }
  }

  /**
   * Reads what stands behind each marker, and gives the rest as content. A marker behind which `one` finds no call is content, too.
   * @param one reads on from behind a marker; false when what stands there is no call
   */
  *marked(marker: string, one: () => Reading<boolean>): Reading {
    while (yield* this.content(marker)) {
      this.mark();
      if (yield* one()) continue;
      this.rewind();
      yield* this.#give(this.#space + marker);
    }
  }

  *begin(name: string): Reading {
    this.#calls++;
    this.#inContent = false;
    this.unmark();
    yield { type: "call", name };
  }

  *arguments(text: string): Reading {
    if (text !== "") yield { type: "arguments", text };
  }

  *finish(): Reading {
    yield { type: "end" };
  }

  /**
   * The text of one JSON value; null when it breaks off. Only brackets and quotes are looked at.
   * @param give gives it out as arguments, piece by piece
   */
  *json(give = false): Reading<string | null> {
    let raw = "";
    let depth = 0;
    let quoted = false;
    let escaped = false;
    const first = yield* this.peek();
    const isPlain = !'{["'.includes(first);
    for (;;) {
      let end = this.#at;
      let done = first === "";
      for (; !done && end < this.#text.length; end++) {
        const char = this.#text.charAt(end);
        if (isPlain) {
          if (!`,}]${SPACE}`.includes(char)) continue;
          done = true;
          break;
        }
        if (escaped) escaped = false;
        else if (quoted && char === "\\") escaped = true;
        else if (char === '"') quoted = !quoted;
        else if (!quoted && (char === "{" || char === "[")) depth++;
        else if (!quoted && (char === "}" || char === "]")) depth--;
        done = depth === 0 && !quoted;
      }
      const piece = this.#text.slice(this.#at, end);
      this.#at = end;
      raw += piece;
      if (give) yield* this.arguments(piece);
      if (done) return raw === "" ? null : raw;
      if (!(yield* this.#more())) return isPlain && raw !== "" ? raw : null;
    }
  }

  *#give(text: string): Reading {
    const given = this.#calls > 0 && !this.#inContent ? text.trimStart() : text;
    if (given === "") return;
    this.#inContent = true;
    yield { type: "content", text: given };
  }

  /** Waits for more text; false when there is none. */
  *#more(): Reading<boolean> {
    if (this.#ended) return false;
    yield undefined;
    return true;
  }
}

/** Length of the longest end of the text that begins the word. */
function openEnd(text: string, from: number, word: string): number {
  let length = Math.min(word.length - 1, text.length - from);
  while (length > 0 && !text.endsWith(word.slice(0, length))) length--;
  return length;
}
