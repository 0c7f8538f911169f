import * as z from "zod";
import { RecordWriter } from "../format/writer.ts";
import { FORMS, NORMALIZER } from "../normalizers/normalizer.ts";
import { writeProgram } from "../regex/program.ts";
import { writeRustClass } from "./rust-classes.ts";
import { type Component, parseWith } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

const sequence = z.looseObject({ normalizers: z.array(z.looseObject({ type: z.string() })) });
const strip = z.looseObject({ strip_left: z.boolean().default(true), strip_right: z.boolean().default(true) });
const replace = z.looseObject({
  pattern: z.union([z.object({ Regex: z.string() }), z.object({ String: z.string().min(1) })]),
  content: z.string(),
});
const prepend = z.looseObject({ prepend: z.string() });
const precompiled = z.looseObject({ precompiled_charsmap: z.string().nullish() });
const bert = z.looseObject({
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});

/** What a file's normalizer becomes: records in order, and the one character map that a file can have. */
export interface CompiledNormalizers {
  readonly records: readonly RecordWriter[];
  readonly characterMap: Uint8Array;
  /** A ByteLevel normalizer: the vocabulary is one of bytes, as with the pre-tokenizer of that name. */
  readonly byteLevel: boolean;
}

export function writeNormalizers(component: Component | null | undefined): CompiledNormalizers {
  const components = flatten(component);
  let characterMap = new Uint8Array(0);
  const byteLevelAt = components.findIndex(({ type }) => type === "ByteLevel");
  if (byteLevelAt !== -1 && byteLevelAt !== components.length - 1) {
    throw new TokenizerCompileError("normalizer", "something stands after ByteLevel");
  }
  const records = components.flatMap((part, i): RecordWriter[] => {
    const path = `normalizer[${i}]`;
    const record = new RecordWriter();
    switch (part.type) {
      case "NFC":
      case "NFD":
      case "NFKC":
      case "NFKD":
        return [form(part.type)];
      case "Lowercase":
        return [record.u8(NORMALIZER.lowercase)];
      case "Strip": {
        const { strip_left, strip_right } = parseWith(strip, part, path);
        return [record.u8(NORMALIZER.strip).bool(strip_left).bool(strip_right)];
      }
      case "StripAccents":
        writeRustClass("mark", record.u8(NORMALIZER.stripAccents));
        return [record];
      case "Replace": {
        const { pattern, content } = parseWith(replace, part, path);
        record.u8(NORMALIZER.replace).string(content);
        if ("Regex" in pattern) writeProgram(pattern.Regex, record.bool(true));
        else record.bool(false).string(pattern.String);
        return [record];
      }
      case "Prepend":
        return [record.u8(NORMALIZER.prepend).string(parseWith(prepend, part, path).prepend)];
      case "Nmt":
        return [record.u8(NORMALIZER.nmt)];
      case "BertNormalizer":
        return writeBert(part, path);
      case "Precompiled": {
        const map = parseWith(precompiled, part, path).precompiled_charsmap ?? "";
        if (map === "") return [];
        if (characterMap.length > 0) throw new TokenizerCompileError(path, "is the second character map");
        characterMap = Uint8Array.from(atob(map), (c) => c.charCodeAt(0));
        return [record.u8(NORMALIZER.precompiled)];
      }
      case "ByteLevel":
        return [];
      default:
        throw new TokenizerCompileError(path, `${part.type} is not supported`);
    }
  });
  return { records, characterMap, byteLevel: byteLevelAt !== -1 };
}

function flatten(component: Component | null | undefined): Component[] {
  if (component === null || component === undefined) return [];
  if (component.type !== "Sequence") return [component];
  return parseWith(sequence, component, "normalizer").normalizers.flatMap(flatten);
}

function form(type: (typeof FORMS)[number]): RecordWriter {
  const record = new RecordWriter().u8(NORMALIZER.form).u8(FORMS.indexOf(type));
  writeRustClass("newerThanNormalization", record);
  return record;
}

function writeBert(part: Component, path: string): RecordWriter[] {
  const options = parseWith(bert, part, path);
  const records: RecordWriter[] = [];
  if (options.clean_text || options.handle_chinese_chars) {
    const record = new RecordWriter().u8(NORMALIZER.bert).bool(options.clean_text).bool(options.handle_chinese_chars);
    writeRustClass("control", record);
    records.push(record);
  }
  if (options.strip_accents ?? options.lowercase) {
    const record = new RecordWriter().u8(NORMALIZER.stripAccents);
    writeRustClass("nonspacing", record);
    records.push(form("NFD"), record);
  }
  if (options.lowercase) records.push(new RecordWriter().u8(NORMALIZER.lowercase));
  return records;
}
