import * as z from "zod";
import { RecordWriter } from "../format/writer.ts";
import { PRE_TOKENIZER } from "../pre-tokenizers/kinds.ts";
import { GPT2_PATTERN, KNOWN_PATTERNS } from "../pre-tokenizers/patterns.ts";
import { type Component, parseWith } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

const sequence = z.looseObject({ pretokenizers: z.array(z.looseObject({ type: z.string() })) });
const byteLevel = z.looseObject({ add_prefix_space: z.boolean().default(true), use_regex: z.boolean().default(true) });
const split = z.looseObject({
  pattern: z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]),
  behavior: z.enum(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]),
  invert: z.boolean().default(false),
});

/** The pre-tokenizers of a file in order, sequences laid flat. */
export function flattenPreTokenizers(component: Component | null | undefined): Component[] {
  if (component === null || component === undefined) return [];
  if (component.type !== "Sequence") return [component];
  return parseWith(sequence, component, "pre_tokenizer").pretokenizers.flatMap(flattenPreTokenizers);
}

/** One record per step. Byte-level mapping itself is no step: the vocabulary is kept as bytes. */
export function writePreTokenizers(components: readonly Component[]): RecordWriter[] {
  return components.flatMap((component, i) => {
    const path = `pre_tokenizer[${i}]`;
    if (components.slice(0, i).some(({ type }) => type === "ByteLevel")) {
      throw new TokenizerCompileError(path, "stands after ByteLevel, where text is no longer text");
    }
    switch (component.type) {
      case "ByteLevel": {
        const { add_prefix_space, use_regex } = parseWith(byteLevel, component, path);
        if (add_prefix_space) throw new TokenizerCompileError(path, "add_prefix_space is not supported");
        return use_regex ? [writeRegex(GPT2_PATTERN, path)] : [];
      }
      case "Split": {
        const { pattern, behavior, invert } = parseWith(split, component, path);
        if (!("Regex" in pattern)) throw new TokenizerCompileError(path, "a pattern of one string is not supported");
        // The known patterns leave nothing between their matches: what is kept of them is the same in both ways.
        if (!(behavior === "Isolated" && !invert) && !(behavior === "Removed" && invert)) {
          throw new TokenizerCompileError(path, `behavior ${behavior} is not supported`);
        }
        return [writeRegex(pattern.Regex, path)];
      }
      default:
        throw new TokenizerCompileError(path, `${component.type} is not supported`);
    }
  });
}

function writeRegex(pattern: string, path: string): RecordWriter {
  const known = KNOWN_PATTERNS.get(pattern);
  if (known === undefined) throw new TokenizerCompileError(path, `the pattern ${pattern} is not supported`);
  return new RecordWriter()
    .u8(PRE_TOKENIZER.scanner)
    .u8(known.scanner)
    .list(known.literals, (literal, r) => r.string(literal));
}
