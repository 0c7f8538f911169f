import { BREAK, USER_END, USER_START } from "./marks.ts";
import { FoveaError } from "../errors/error.ts";

/** A part of the text, in UTF-16 code units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A rendered prompt that knows which of its parts came from user text that could make a control token. A tokenizer reads a
 * control token only where `isControl` says so.
 */
export class PromptText {
  readonly text: string;
  /** Template text whose tokens stand before those that the post-processor adds, as InstructBLIP's image tokens do. */
  readonly before: string;
  /** In order, without overlaps. A break is an empty range. */
  readonly userRanges: readonly TextRange[];

  private constructor(text: string, userRanges: readonly TextRange[], before = "") {
    this.text = text;
    this.userRanges = userRanges;
    this.before = before;
  }

  /** Text that is all the release's own. */
  static ofTemplate(text: string): PromptText {
    return new PromptText(text, []);
  }

  /** Takes the marks out of a rendered prompt. */
  static ofMarked(marked: string): PromptText {
    const ranges: TextRange[] = [];
    let text = "";
    let open = -1;
    for (const part of marked.split(/([\uFDD0\uFDD1\uFDD2])/)) {
      if (part === USER_START) {
        if (open !== -1) throw cutUp();
        open = text.length;
      } else if (part === USER_END) {
        if (open === -1) throw cutUp();
        ranges.push({ start: open, end: text.length });
        open = -1;
      } else if (part === BREAK) {
        if (open === -1) ranges.push({ start: text.length, end: text.length });
      } else text += part;
    }
    if (open !== -1) throw cutUp();
    return new PromptText(text, ranges);
  }

  /** Whether `text[start, end)` is all template text. */
  isControl(start: number, end: number): boolean {
    const ranges = this.userRanges;
    // First range that ends after `start`.
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle].end <= start) low = middle + 1;
      else high = middle;
    }
    return low === ranges.length || ranges[low].start >= end;
  }

  /** Whether the template wrote this token first of all. */
  startsWithControl(token: string): boolean {
    return this.text.startsWith(token) && this.isControl(0, token.length);
  }

  /** Each template-written `token` replaced; `replacement` gets its number. User text that looks like it stays. */
  replaceControl(token: string, replacement: (index: number) => string): PromptText {
    const ranges: TextRange[] = [];
    let text = "";
    let done = 0;
    let next = 0;
    let count = 0;
    const copyUntil = (end: number): void => {
      const shift = text.length - done;
      for (; next < this.userRanges.length && this.userRanges[next].end <= end; next++) {
        const { start, end: stop } = this.userRanges[next];
        ranges.push({ start: start + shift, end: stop + shift });
      }
      text += this.text.slice(done, end);
      done = end;
    };
    for (let at = this.#nextControl(token, 0); at !== -1; at = this.#nextControl(token, done)) {
      copyUntil(at);
      text += replacement(count++);
      done = at + token.length;
    }
    copyUntil(this.text.length);
    return new PromptText(text, ranges, this.before);
  }

  /** Puts a space after each template-written `token` that is followed by neither white space nor `<`. */
  spaceAfter(token: string): PromptText {
    const { text } = this;
    let at = 0;
    return this.replaceControl(token, () => {
      at = this.#nextControl(token, at) + token.length;
      return at === text.length || /[\s<]/.test(text.charAt(at)) ? token : `${token} `;
    });
  }

  #nextControl(token: string, from: number): number {
    let at = this.text.indexOf(token, from);
    while (at !== -1 && !this.isControl(at, at + token.length)) at = this.text.indexOf(token, at + 1);
    return at;
  }

  /** How often the template wrote this token. */
  countControl(token: string): number {
    let count = 0;
    this.replaceControl(token, () => {
      count++;
      return "";
    });
    return count;
  }

  /** With more text of the release's own at its end. */
  append(text: string): PromptText {
    return new PromptText(this.text + text, this.userRanges, this.before);
  }

  withBefore(before: string): PromptText {
    return new PromptText(this.text, this.userRanges, before);
  }
}

/** Half of a marked text is gone, so what came from the user cannot be told any more. */
function cutUp(): FoveaError {
  return new FoveaError(
    "invalid_request",
    "A message holds text that looks like a control token of the model, and the model's chat template cuts that message. Take the token out of the text.",
    { param: "messages" },
  );
}
