import * as z from "zod";
import { DECODER, STEP } from "../decoders/decoder.ts";
import { RecordWriter } from "../format/writer.ts";
import { type Component, parseWith } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

const sequence = z.looseObject({ decoders: z.array(z.looseObject({ type: z.string() })) });
const replace = z.looseObject({ pattern: z.object({ String: z.string().min(1) }), content: z.string() });
const character = z.string().refine((text) => Array.from(text).length === 1, "is not one character");
const strip = z.looseObject({
  content: character,
  start: z.number().int().nonnegative(),
  stop: z.number().int().nonnegative(),
});
const metaspace = z.looseObject({
  replacement: z.string().min(1).default("\u2581"),
  prepend_scheme: z.enum(["never", "first", "always"]).optional(),
  add_prefix_space: z.boolean().optional(),
});
const wordPiece = z.looseObject({ prefix: z.string().default("##"), cleanup: z.boolean().default(true) });
const bpe = z.looseObject({ suffix: z.string().min(1).default("</w>") });

export function writeDecoder(component: Component | null | undefined): RecordWriter {
  if (component === null || component === undefined) return new RecordWriter().u8(DECODER.none);
  const parts = flatten(component);
  if (parts.length === 1 && parts[0]?.type === "ByteLevel") return new RecordWriter().u8(DECODER.byteLevel);
  const steps: RecordWriter[] = [];
  let fused = false;
  for (const [i, part] of parts.entries()) {
    const path = `decoder[${i}]`;
    if (part.type === "Fuse") fused = true;
    else steps.push(writeStep(part, fused, path));
  }
  return new RecordWriter().u8(DECODER.chain).list(steps, (step, r) => r.record(step));
}

function flatten(component: Component): Component[] {
  if (component.type !== "Sequence") return [component];
  return parseWith(sequence, component, "decoder").decoders.flatMap(flatten);
}

/** After Fuse a step sees the text in pieces, so only those that can do with that may follow. */
function writeStep(part: Component, fused: boolean, path: string): RecordWriter {
  const record = new RecordWriter();
  if (fused && part.type !== "Strip") throw new TokenizerCompileError(path, `${part.type} after Fuse is not supported`);
  switch (part.type) {
    case "Replace": {
      const { pattern, content } = parseWith(replace, part, path);
      return record.u8(STEP.replace).string(pattern.String).string(content);
    }
    case "ByteFallback":
      return record.u8(STEP.byteFallback);
    case "Strip": {
      const { content, start, stop } = parseWith(strip, part, path);
      return record
        .u8(fused ? STEP.stripFused : STEP.strip)
        .string(content)
        .u32(start)
        .u32(stop);
    }
    case "Metaspace": {
      const { replacement, prepend_scheme, add_prefix_space } = parseWith(metaspace, part, path);
      const scheme = prepend_scheme ?? (add_prefix_space === false ? "never" : "always");
      return record
        .u8(STEP.metaspace)
        .string(replacement)
        .bool(scheme !== "never");
    }
    case "WordPiece": {
      const { prefix, cleanup } = parseWith(wordPiece, part, path);
      return record.u8(STEP.wordPiece).string(prefix).bool(cleanup);
    }
    case "BPEDecoder":
      return record.u8(STEP.bpe).string(parseWith(bpe, part, path).suffix);
    default:
      throw new TokenizerCompileError(path, `${part.type} is not supported`);
  }
}
