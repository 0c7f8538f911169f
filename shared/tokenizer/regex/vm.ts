import { FoveaError } from "../../errors/error.ts";
import { malformed, type RecordReader } from "../format/reader.ts";
import { CharSet } from "../unicode/char-set.ts";
import { codePointAt, widthOf } from "../utf8.ts";
import { MAX_INSTRUCTIONS, OP } from "./program.ts";

/**
 * Instructions that a text may take per byte, over all its matches. A pattern whose matches do not look far beyond their end
 * takes 10 to 60; beyond: 400. This bounds the time of a pattern that nobody has a scanner for.
 */
export const MAX_STEPS_PER_BYTE = 256;

/**
 * Runs a compiled pattern over UTF-8, all alternatives side by side (Pike's machine): the time of one match is linear in the
 * characters that it looks at, whatever the pattern. Of several matches it gives the one that a backtracking engine gives.
 */
export class RegexProgram {
  readonly #code: Int32Array;
  readonly #classes: readonly CharSet[];
  /** Threads in the order of their priority, for this character and the next. */
  #current: Int32Array;
  #following: Int32Array;
  #count = 0;
  /** Per instruction: the character at which it was added last. */
  readonly #marks: Int32Array;
  #mark = 0;
  readonly #stack: Int32Array;
  #steps = 0;

  constructor(record: RecordReader) {
    this.#code = Int32Array.from(record.list((r) => r.u32()));
    this.#classes = record.list((r) => CharSet.read(r));
    const count = this.#code.length / 3;
    if (!Number.isInteger(count) || count === 0 || count > MAX_INSTRUCTIONS) throw malformed("a pattern is cut off");
    for (let i = 0; i < count; i++) {
      const [op, a, b] = this.#code.subarray(3 * i, 3 * i + 3);
      const inside = a >= 0 && a < (op === OP.split || op === OP.jump ? count : this.#classes.length);
      if (op < 0 || op > OP.match || (op !== OP.match && !inside) || (op === OP.split && !(b >= 0 && b < count))) {
        throw malformed("a pattern is broken");
      }
    }
    if (this.#code[this.#code.length - 3] !== OP.match) throw malformed("a pattern has no end");
    this.#current = new Int32Array(count);
    this.#following = new Int32Array(count);
    this.#marks = new Int32Array(count).fill(-1);
    this.#stack = new Int32Array(2 * count + 2);
  }

  /** Calls `found` for each match in order. */
  forEachMatch(bytes: Uint8Array, start: number, end: number, found: (start: number, end: number) => void): void {
    this.#steps = MAX_STEPS_PER_BYTE * (end - start + 64);
    for (let at = start; at < end;) {
      const last = this.#matchAt(bytes, at, end);
      if (last > at) found(at, last);
      at = last > at ? last : at + widthOf(bytes[at]);
    }
  }

  /** End of the match that begins at `start`, -1 when there is none. */
  #matchAt(bytes: Uint8Array, start: number, end: number): number {
    let last = -1;
    let at = start;
    this.#begin();
    this.#add(0, bytes, at, end);
    for (;;) {
      [this.#current, this.#following] = [this.#following, this.#current];
      const count = this.#count;
      if (count === 0) return last;
      this.#begin();
      const codePoint = at < end ? codePointAt(bytes, at) : -1;
      const next = at < end ? at + widthOf(bytes[at]) : at;
      for (let i = 0; i < count; i++) {
        const pc = this.#current[i];
        if (this.#code[3 * pc] === OP.match) {
          // Threads behind this one would only give what a backtracking engine never reaches.
          last = at;
          break;
        }
        if (codePoint !== -1 && this.#classes[this.#code[3 * pc + 1]].has(codePoint))
          this.#add(pc + 1, bytes, next, end);
      }
      at = next;
    }
  }

  #begin(): void {
    this.#count = 0;
    if (++this.#mark === 0x7fffffff) {
      this.#marks.fill(-1);
      this.#mark = 0;
    }
  }

  /** Adds the threads that begin at `pc` to the following ones, those that read nothing resolved. */
  #add(pc: number, bytes: Uint8Array, at: number, end: number): void {
    const code = this.#code;
    const stack = this.#stack;
    let depth = 0;
    stack[depth++] = pc;
    while (depth > 0) {
      const top = stack[--depth];
      if (this.#marks[top] === this.#mark) continue;
      this.#marks[top] = this.#mark;
      if (--this.#steps < 0) {
        throw new FoveaError("invalid_request", "The text takes the model's tokenizer too long. Make it shorter.");
      }
      const a = code[3 * top + 1];
      switch (code[3 * top]) {
        case OP.jump:
          stack[depth++] = a;
          break;
        case OP.split:
          stack[depth++] = code[3 * top + 2];
          stack[depth++] = a;
          break;
        case OP.next:
          if (at < end && this.#classes[a].has(codePointAt(bytes, at))) stack[depth++] = top + 1;
          break;
        case OP.notNext:
          if (at === end || !this.#classes[a].has(codePointAt(bytes, at))) stack[depth++] = top + 1;
          break;
        default:
          this.#following[this.#count++] = top;
      }
    }
  }
}
