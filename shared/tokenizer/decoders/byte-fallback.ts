import type { DecodeStep } from "./decoder.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * `ByteFallback`: tokens such as `<0xE4>` are bytes. Upstream shows a run of them as text when all of the run is UTF-8, and
 * otherwise as one U+FFFD for each byte, the good ones too. So a run is kept until the next other token: to show its first
 * characters early would differ from what the whole text decodes to when a later byte is wrong.
 */
export function byteFallback(): DecodeStep {
  let run: number[] = [];
  const flush = (emit: (token: string) => void): void => {
    if (run.length === 0) return;
    const bytes = Uint8Array.from(run);
    run = [];
    let text: string;
    try {
      text = strict.decode(bytes);
    } catch {
      for (let i = 0; i < bytes.length; i++) emit("\uFFFD");
      return;
    }
    emit(text);
  };
  return {
    push(token, emit) {
      const byte = byteOf(token);
      if (byte !== undefined) run.push(byte);
      else {
        flush(emit);
        emit(token);
      }
    },
    end: flush,
  };
}

/** The byte that a token such as `<0xE4>` stands for; undefined for any other. */
export function byteOf(token: string): number | undefined {
  // A sign is a part of numbers to `u8::from_str_radix`.
  const hex = /^<0x(\+[0-9A-Fa-f]|[0-9A-Fa-f]{2})>$/.exec(token);
  return hex === null ? undefined : Number.parseInt(hex[1], 16);
}
