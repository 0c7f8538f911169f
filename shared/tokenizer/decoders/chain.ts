import type { Vocabulary } from "../vocabulary.ts";
import { byteFallback, byteOf } from "./byte-fallback.ts";
import type { Decoder, DecodeStep, DecodeStream } from "./decoder.ts";

/** The steps of a `Sequence`, one after the other, on the strings of tokens. */
export class ChainDecoder implements Decoder {
  readonly #steps: readonly (() => DecodeStep)[];

  constructor(steps: readonly (() => DecodeStep)[]) {
    this.#steps = steps;
  }

  stream(vocabulary: Vocabulary): DecodeStream {
    const steps = this.#steps.map((make) => make());
    let text = "";
    const feed = (token: string, from: number): void => {
      const step = steps[from];
      if (step === undefined) text += token;
      else step.push(token, (next) => feed(next, from + 1));
    };
    const take = (): string => {
      const taken = text;
      text = "";
      return taken;
    };
    return {
      push(id) {
        feed(vocabulary.stringOf(id), 0);
        return take();
      },
      end() {
        for (const [i, step] of steps.entries()) step.end((token) => feed(token, i + 1));
        return take();
      },
    };
  }

  bytesOf(vocabulary: Vocabulary, id: number): Uint8Array | undefined {
    if (!this.#steps.includes(byteFallback)) return undefined;
    const byte = byteOf(vocabulary.stringOf(id));
    return byte === undefined ? undefined : Uint8Array.of(byte);
  }
}

/** No decoder: tokens with a space between. */
export class SpacedDecoder implements Decoder {
  stream(vocabulary: Vocabulary): DecodeStream {
    let first = true;
    return {
      push(id) {
        const text = (first ? "" : " ") + vocabulary.stringOf(id);
        first = false;
        return text;
      },
      end: () => "",
    };
  }

  bytesOf(): undefined {
    return undefined;
  }
}
