import type { RegexProgram } from "../regex/vm.ts";
import { utf8Encoder, widthOf } from "../utf8.ts";
import { type AlignedText, codePointsOf } from "./aligned-text.ts";
import type { Normalizer } from "./normalizer.ts";

/** Every occurrence of a string by another. */
export class ReplaceString implements Normalizer {
  readonly #pattern: string;
  readonly #content: string;

  constructor(pattern: string, content: string) {
    this.#pattern = pattern;
    this.#content = content;
  }

  apply(text: string): string {
    return text.replaceAll(this.#pattern, () => this.#content);
  }

  align(text: AlignedText): void {
    const pattern = codePointsOf(this.#pattern);
    const matches: [number, number][] = [];
    for (let at = 0; at + pattern.length <= text.codePoints.length;) {
      const found = pattern.every((codePoint, i) => text.codePoints[at + i] === codePoint);
      if (found) matches.push([at, at + pattern.length]);
      at += found ? pattern.length : 1;
    }
    text.replace(matches, codePointsOf(this.#content));
  }
}

/** Every match of a pattern by a string. */
export class ReplacePattern implements Normalizer {
  readonly #program: RegexProgram;
  readonly #content: string;

  constructor(program: RegexProgram, content: string) {
    this.#program = program;
    this.#content = content;
  }

  apply(text: string): string {
    const codePoints = Array.from(text);
    let result = "";
    let done = 0;
    for (const [start, end] of this.#matches(text)) {
      result += codePoints.slice(done, start).join("") + this.#content;
      done = end;
    }
    return result + codePoints.slice(done).join("");
  }

  align(text: AlignedText): void {
    text.replace(this.#matches(text.text), codePointsOf(this.#content));
  }

  /** Matches in characters. */
  #matches(text: string): [number, number][] {
    const bytes = utf8Encoder.encode(text);
    const matches: [number, number][] = [];
    let at = 0;
    let character = 0;
    const characterAt = (byte: number): number => {
      for (; at < byte; at += widthOf(bytes[at])) character++;
      return character;
    };
    this.#program.forEachMatch(bytes, 0, bytes.length, (start, end) => {
      matches.push([characterAt(start), characterAt(end)]);
    });
    return matches;
  }
}

/** A string before the text, unless it is empty. */
export class Prepend implements Normalizer {
  readonly #content: string;

  constructor(content: string) {
    this.#content = content;
  }

  apply(text: string): string {
    return text === "" ? "" : this.#content + text;
  }

  align(text: AlignedText): void {
    text.prepend(codePointsOf(this.#content));
  }
}
