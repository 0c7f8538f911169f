import * as z from "zod";
import { RecordWriter } from "../format/writer.ts";
import { BEHAVIORS, type Behavior, FINDER, PRE_TOKENIZER, PREPEND_SCHEMES } from "../pre-tokenizers/kinds.ts";
import { GPT2_PATTERN, KNOWN_PATTERNS } from "../pre-tokenizers/patterns.ts";
import { writeProgram } from "../regex/program.ts";
import { type RustClass, writeRustClass } from "./rust-classes.ts";
import { type Component, parseWith } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

const sequence = z.looseObject({ pretokenizers: z.array(z.looseObject({ type: z.string() })) });
const byteLevel = z.looseObject({ add_prefix_space: z.boolean().default(true), use_regex: z.boolean().default(true) });
const split = z.looseObject({
  pattern: z.union([z.object({ Regex: z.string() }), z.object({ String: z.string().min(1) })]),
  behavior: z.enum(BEHAVIORS),
  invert: z.boolean().default(false),
});
const metaspace = z.looseObject({
  replacement: z.string().min(1).default("\u2581"),
  prepend_scheme: z.enum(PREPEND_SCHEMES).optional(),
  add_prefix_space: z.boolean().optional(),
  split: z.boolean().default(true),
});
const digits = z.looseObject({ individual_digits: z.boolean().default(false) });
const punctuation = z.looseObject({ behavior: z.enum(BEHAVIORS).default("Isolated") });
const delimiter = z.looseObject({ delimiter: z.string().min(1) });

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
    return writeOne(component, path);
  });
}

function writeOne(component: Component, path: string): RecordWriter[] {
  switch (component.type) {
    case "ByteLevel": {
      const { add_prefix_space, use_regex } = parseWith(byteLevel, component, path);
      const prefix = add_prefix_space ? [new RecordWriter().u8(PRE_TOKENIZER.prefixSpace)] : [];
      return use_regex ? [...prefix, writeRegex(GPT2_PATTERN, "Isolated", false)] : prefix;
    }
    case "Split": {
      const { pattern, behavior, invert } = parseWith(split, component, path);
      if ("Regex" in pattern) return [writeRegex(pattern.Regex, behavior, invert)];
      return [writeString(pattern.String, behavior, invert)];
    }
    case "Metaspace": {
      const { replacement, prepend_scheme, add_prefix_space, split } = parseWith(metaspace, component, path);
      const scheme = prepend_scheme ?? (add_prefix_space === false ? "never" : "always");
      const record = new RecordWriter().u8(PRE_TOKENIZER.metaspace).string(replacement);
      return [record.u8(PREPEND_SCHEMES.indexOf(scheme)).bool(split)];
    }
    case "Digits": {
      const { individual_digits } = parseWith(digits, component, path);
      return [writeSet("numeric", individual_digits ? "Isolated" : "Contiguous")];
    }
    case "Punctuation":
      return [writeSet("punctuation", parseWith(punctuation, component, path).behavior)];
    case "Whitespace": {
      const record = new RecordWriter().u8(PRE_TOKENIZER.words);
      writeRustClass("word", record);
      return [record];
    }
    case "WhitespaceSplit":
      return [writeSplit("Removed", false).u8(FINDER.whiteSpace)];
    case "BertPreTokenizer":
      return [writeSplit("Removed", false).u8(FINDER.whiteSpace), writeSet("punctuation", "Isolated")];
    case "CharDelimiterSplit":
      return [writeString(parseWith(delimiter, component, path).delimiter, "Removed", false)];
    default:
      throw new TokenizerCompileError(path, `${component.type} is not supported`);
  }
}

function writeSplit(behavior: Behavior, invert: boolean): RecordWriter {
  return new RecordWriter().u8(PRE_TOKENIZER.split).u8(BEHAVIORS.indexOf(behavior)).bool(invert);
}

function writeString(pattern: string, behavior: Behavior, invert: boolean): RecordWriter {
  return writeSplit(behavior, invert).u8(FINDER.string).string(pattern);
}

function writeSet(name: RustClass, behavior: Behavior): RecordWriter {
  const record = writeSplit(behavior, false).u8(FINDER.set);
  writeRustClass(name, record);
  return record;
}

/** A known pattern by its scanner, any other by the regex machine. */
function writeRegex(pattern: string, behavior: Behavior, invert: boolean): RecordWriter {
  const known = KNOWN_PATTERNS.get(pattern);
  // Where a pattern matches everything, to keep the matches alone is the same as to isolate them.
  const keepsMatches = behavior === "Removed" && invert && known?.matchesAll === true;
  if (known !== undefined && ((behavior === "Isolated" && !invert) || keepsMatches)) {
    return new RecordWriter()
      .u8(PRE_TOKENIZER.scanner)
      .u8(known.scanner)
      .u8(known.most)
      .list(known.literals, (literal, r) => r.string(literal));
  }
  const record = writeSplit(behavior, invert).u8(FINDER.pattern);
  writeProgram(pattern, record);
  return record;
}
