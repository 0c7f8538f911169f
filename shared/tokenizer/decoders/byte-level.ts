import type { Vocabulary } from "../vocabulary.ts";
import type { Decoder, DecodeStream } from "./decoder.ts";

/** Bytes of the tokens as UTF-8. A character's bytes may come in several tokens: it is held until it is whole. */
export class ByteLevelDecoder implements Decoder {
  stream(vocabulary: Vocabulary): DecodeStream {
    const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
    return {
      push: (id) => decoder.decode(vocabulary.bytesOf(id), { stream: true }),
      end: () => decoder.decode(),
    };
  }

  bytesOf(vocabulary: Vocabulary, id: number): Uint8Array {
    return vocabulary.bytesOf(id);
  }
}
