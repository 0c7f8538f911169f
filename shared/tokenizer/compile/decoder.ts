import { DECODER } from "../decoders/decoder.ts";
import { RecordWriter } from "../format/writer.ts";
import type { Component } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

export function writeDecoder(component: Component | null | undefined): RecordWriter {
  if (component?.type !== "ByteLevel") {
    throw new TokenizerCompileError("decoder", `${component?.type ?? "none"} is not supported`);
  }
  return new RecordWriter().u8(DECODER.byteLevel);
}
