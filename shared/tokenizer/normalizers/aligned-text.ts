import type { Alignment } from "../pieces.ts";
import { codePointAt, utf8Encoder, widthOf } from "../utf8.ts";

/**
 * A text under normalization that knows where each character came from: `NormalizedString` of upstream. Used when offsets are
 * asked for; otherwise normalizers work on plain strings.
 */
export class AlignedText {
  codePoints: number[] = [];
  /** Per character: the part of the source that it stands for, in bytes. */
  starts: number[] = [];
  ends: number[] = [];

  static of(bytes: Uint8Array, start: number, end: number, alignment: Alignment | null = null): AlignedText {
    const text = new AlignedText();
    for (let at = start; at < end;) {
      const width = widthOf(bytes[at]);
      text.codePoints.push(codePointAt(bytes, at));
      text.starts.push(alignment === null ? at : alignment.starts[at]);
      text.ends.push(alignment === null ? at + width : alignment.ends[at]);
      at += width;
    }
    return text;
  }

  get text(): string {
    let text = "";
    for (const codePoint of this.codePoints) text += String.fromCodePoint(codePoint);
    return text;
  }

  /**
   * Replaces all characters (`NormalizedString::transform`). A character's change is 0 when it replaces the next one of the
   * old text, 1 when it is new beside the one before, -n when it replaces one and n more vanish. `removed` characters vanish first.
   */
  transform(codePoints: readonly number[], changes: readonly number[], removed = 0): void {
    const starts: number[] = [];
    const ends: number[] = [];
    let at = removed;
    for (const change of changes) {
      const from = change > 0 ? at - 1 : at;
      starts.push(this.starts[from] ?? 0);
      ends.push(this.ends[from] ?? 0);
      if (change <= 0) at += 1 - change;
    }
    this.codePoints = [...codePoints];
    this.starts = starts;
    this.ends = ends;
  }

  /** Keeps some characters, each with its own place. */
  filter(keep: (codePoint: number) => boolean): void {
    const kept = this.codePoints.map((_, i) => i).filter((i) => keep(this.codePoints[i]));
    this.starts = kept.map((i) => this.starts[i]);
    this.ends = kept.map((i) => this.ends[i]);
    this.codePoints = kept.map((i) => this.codePoints[i]);
  }

  /** Each character becomes some others, in its place. */
  flatMap(replace: (codePoint: number) => readonly number[]): void {
    const codePoints: number[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    for (const [i, codePoint] of this.codePoints.entries()) {
      for (const other of replace(codePoint)) {
        codePoints.push(other);
        starts.push(this.starts[i]);
        ends.push(this.ends[i]);
      }
    }
    this.codePoints = codePoints;
    this.starts = starts;
    this.ends = ends;
  }

  /** Replaces `[start, end)`, in characters, by a text that takes the place of the last one. */
  replace(matches: readonly (readonly [start: number, end: number])[], content: readonly number[]): void {
    const codePoints: number[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    let done = 0;
    const copy = (end: number): void => {
      for (; done < end; done++) {
        codePoints.push(this.codePoints[done]);
        starts.push(this.starts[done]);
        ends.push(this.ends[done]);
      }
    };
    for (const [start, end] of matches) {
      copy(start);
      for (const codePoint of content) {
        codePoints.push(codePoint);
        starts.push(this.starts[end - 1]);
        ends.push(this.ends[end - 1]);
      }
      done = end;
    }
    copy(this.codePoints.length);
    this.codePoints = codePoints;
    this.starts = starts;
    this.ends = ends;
  }

  /** Puts a text before the first character, in its place; an empty text stays empty. */
  prepend(content: readonly number[]): void {
    if (this.codePoints.length === 0) return;
    this.starts.unshift(...content.map(() => this.starts[0]));
    this.ends.unshift(...content.map(() => this.ends[0]));
    this.codePoints.unshift(...content);
  }

  /** The text as UTF-8, with the place of every byte. */
  toBytes(): { readonly bytes: Uint8Array; readonly alignment: Alignment } {
    const bytes = utf8Encoder.encode(this.text);
    const starts = new Int32Array(bytes.length);
    const ends = new Int32Array(bytes.length);
    let character = 0;
    for (let at = 0; at < bytes.length; character++) {
      const width = widthOf(bytes[at]);
      starts.fill(this.starts[character], at, at + width);
      ends.fill(this.ends[character], at, at + width);
      at += width;
    }
    return { bytes, alignment: { starts, ends } };
  }
}

export function codePointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}
