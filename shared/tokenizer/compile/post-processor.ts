import * as z from "zod";
import { RecordWriter } from "../format/writer.ts";
import { type Component, parseWith, type SourceFile } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

const sequence = z.looseObject({ processors: z.array(z.looseObject({ type: z.string() })) });
const template = z.looseObject({
  single: z.array(
    z.union([
      z.object({ SpecialToken: z.looseObject({ id: z.string() }) }),
      z.object({ Sequence: z.looseObject({ id: z.string() }) }),
    ]),
  ),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.number().int().nonnegative()) })),
});
const token = z.tuple([z.string(), z.number().int().nonnegative()]);
const bert = z.looseObject({ sep: token, cls: token });
const roberta = z.looseObject({
  sep: token,
  cls: token,
  trim_offsets: z.boolean().default(true),
  add_prefix_space: z.boolean().default(true),
});
const byteLevel = z.looseObject({
  trim_offsets: z.boolean().default(true),
  add_prefix_space: z.boolean().default(true),
});

const truncation = z.looseObject({
  direction: z.enum(["Left", "Right"]).default("Right"),
  max_length: z.number().int().positive(),
});
const padding = z.looseObject({
  strategy: z.union([z.literal("BatchLongest"), z.object({ Fixed: z.number().int().positive() })]),
  direction: z.enum(["Left", "Right"]),
  pad_to_multiple_of: z.number().int().positive().nullish(),
  pad_id: z.number().int().nonnegative(),
});

/** Writes what stands around one text. Pairs of texts are not what prompts are made of, and have no place in the file. */
export function writePostProcessor(source: SourceFile): RecordWriter {
  const before: number[] = [];
  const after: number[] = [];
  let trim: { addPrefixSpace: boolean } | undefined;
  for (const [i, component] of flatten(source.post_processor).entries()) {
    const path = `post_processor[${i}]`;
    switch (component.type) {
      case "TemplateProcessing":
        addTemplate(component, path, before, after);
        break;
      case "BertProcessing":
      case "RobertaProcessing": {
        const { cls, sep } = parseWith(bert, component, path);
        before.unshift(cls[1]);
        after.push(sep[1]);
        if (component.type === "RobertaProcessing") {
          const { trim_offsets, add_prefix_space } = parseWith(roberta, component, path);
          if (trim_offsets) trim = { addPrefixSpace: add_prefix_space };
        }
        break;
      }
      case "ByteLevel": {
        const { trim_offsets, add_prefix_space } = parseWith(byteLevel, component, path);
        if (trim_offsets) trim = { addPrefixSpace: add_prefix_space };
        break;
      }
      default:
        throw new TokenizerCompileError(path, `${component.type} is not supported`);
    }
  }
  const record = new RecordWriter().list(before, (id, r) => r.u32(id)).list(after, (id, r) => r.u32(id));
  record.bool(trim !== undefined);
  if (trim !== undefined) record.bool(trim.addPrefixSpace);
  writeTruncation(source, record, before.length + after.length);
  writePadding(source, record);
  return record;
}

function flatten(component: Component | null | undefined): Component[] {
  if (component === null || component === undefined) return [];
  if (component.type !== "Sequence") return [component];
  return parseWith(sequence, component, "post_processor").processors.flatMap(flatten);
}

function addTemplate(component: Component, path: string, before: number[], after: number[]): void {
  const { single, special_tokens } = parseWith(template, component, path);
  const place = single.findIndex((item) => "Sequence" in item);
  if (place === -1 || single.some((item, i) => "Sequence" in item && (i !== place || item.Sequence.id !== "A"))) {
    throw new TokenizerCompileError(`${path}.single`, "does not hold the text just once");
  }
  const ids = (items: typeof single): number[] =>
    items.flatMap((item) => {
      if (!("SpecialToken" in item)) return [];
      const special = special_tokens[item.SpecialToken.id];
      if (special === undefined) throw new TokenizerCompileError(path, `${item.SpecialToken.id} is not declared`);
      return special.ids;
    });
  before.unshift(...ids(single.slice(0, place)));
  after.push(...ids(single.slice(place + 1)));
}

function writeTruncation(source: SourceFile, record: RecordWriter, added: number): void {
  record.bool(source.truncation !== null && source.truncation !== undefined);
  if (source.truncation === null || source.truncation === undefined) return;
  const { direction, max_length } = parseWith(truncation, source.truncation, "truncation");
  if (max_length < added) throw new TokenizerCompileError("truncation.max_length", "leaves no room for special tokens");
  record.u32(max_length).bool(direction === "Left");
}

function writePadding(source: SourceFile, record: RecordWriter): void {
  record.bool(source.padding !== null && source.padding !== undefined);
  if (source.padding === null || source.padding === undefined) return;
  const { strategy, direction, pad_to_multiple_of, pad_id } = parseWith(padding, source.padding, "padding");
  record
    .u32(strategy === "BatchLongest" ? 0 : strategy.Fixed)
    .u32(pad_to_multiple_of ?? 0)
    .bool(direction === "Left")
    .u32(pad_id);
}
