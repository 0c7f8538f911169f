import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { StageName } from "../../shared/releases/schema.ts";

/** Suffixes of ONNX files by dtype, as transformers.js names them; in the order of preference when nobody chose. */
const DTYPE_SUFFIXES = [
  ["fp32", ""],
  ["fp16", "_fp16"],
  ["q8", "_quantized"],
  ["int8", "_int8"],
  ["uint8", "_uint8"],
  ["q4", "_q4"],
  ["q4f16", "_q4f16"],
] as const;

/** File names of the stages' graphs, without suffix, as transformers.js has them. */
const GRAPH_NAMES: readonly (readonly [StageName, string])[] = [
  ["vision_encoder", "vision_encoder"],
  ["embed_tokens", "embed_tokens"],
  ["backbone", "decoder_model_merged"],
];

/** What to do about a folder that is none, where weights in another form may lie. */
const LAYOUT =
  "an ONNX export is needed, as the models of onnx-community on the Hugging Face hub lie: config.json, tokenizer.json, " +
  "tokenizer_config.json and onnx/ with decoder_model_merged.onnx, embed_tokens.onnx and, with eyes, vision_encoder.onnx";

export interface StageGraph {
  readonly stage: StageName;
  readonly dtype: string;
  /** Path in the folder: `onnx/vision_encoder_quantized.onnx`. */
  readonly file: string;
}

/** The names in a repository's layout, wherever it lies. */
export interface HubListing {
  /** What messages call it. */
  readonly root: string;
  has(name: string): boolean;
}

/** What a folder in the layout of a Hugging Face repository holds. */
export interface HubFolder extends HubListing {
  /** Paths relative to the root, with forward slashes, sorted. */
  readonly files: readonly string[];
  /** Files that are not on the disk, by name, as JSON: what newer layouts keep elsewhere. `has` and `json` know them, too. */
  readonly derived: ReadonlyMap<string, unknown>;
  json(name: string): Promise<unknown>;
}

const IMAGE_PROCESSOR = "preprocessor_config.json";
const PROCESSOR = "processor_config.json";

const processorSchema = z.object({
  image_processor: z.looseObject({ image_processor_type: z.string() }).optional(),
  processor_class: z.string().optional(),
});

export class HubFolderError extends Error {
  override readonly name = "HubFolderError";
}

export async function readHubFolder(root: string): Promise<HubFolder> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "ENOTDIR" ? `is a file, and a model is a folder; ${LAYOUT}` : "cannot be read";
      throw new HubFolderError(`${root} ${why}`, { cause });
    },
  );
  const files = entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(join(root, "x").length - 1)
        .replaceAll("\\", "/"),
    )
    .toSorted();
  const known = new Set(files);
  if (!known.has("config.json")) {
    const gguf = files.some((name) => name.endsWith(".gguf")) ? "GGUF files are not read; " : "";
    throw new HubFolderError(`${root} is no model folder: it has no config.json; ${gguf}${LAYOUT}`);
  }
  const read = async (name: string): Promise<unknown> => {
    const text = await readFile(join(root, name), "utf8");
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new HubFolderError(`${name} in ${root} is ${text === "" ? "empty" : "no JSON"}`, { cause });
    }
  };
  const derived = new Map<string, unknown>();
  if (!known.has(IMAGE_PROCESSOR) && known.has(PROCESSOR)) {
    const found = imageProcessorIn(await read(PROCESSOR));
    if (found !== null) derived.set(IMAGE_PROCESSOR, found);
  }
  return {
    root,
    files,
    derived,
    has: (name) => known.has(name) || derived.has(name),
    json: async (name) => derived.get(name) ?? (await read(name)),
  };
}

/** transformers 5 saves the image processor inside of `processor_config.json`; before, it had a file of its own. */
function imageProcessorIn(processorConfig: unknown): unknown {
  const { image_processor, processor_class } = processorSchema.catch({}).parse(processorConfig);
  return image_processor === undefined ? null : { ...image_processor, processor_class };
}

/**
 * One graph per stage. `dtype` is `q8` for all stages or `vision_encoder=fp32,backbone=q8`; a stage without a choice takes
 * the most exact that exists, because answers are owed for that one. Throws HubFolderError when a chosen file is missing.
 */
export function chooseGraphs(folder: HubListing, dtype?: string): readonly StageGraph[] {
  const wanted = parseDtypes(dtype);
  return GRAPH_NAMES.flatMap(([stage, graph]) => {
    const choice = wanted.get(stage) ?? wanted.get("*");
    const first = DTYPE_SUFFIXES.filter(([name]) => choice === undefined || name === choice)
      .map(([name, suffix]) => ({ stage, dtype: name, file: `onnx/${graph}${suffix}.onnx` }))
      .find(({ file }) => folder.has(file));
    if (first !== undefined) return [first];
    const any = DTYPE_SUFFIXES.some(([, suffix]) => folder.has(`onnx/${graph}${suffix}.onnx`));
    if (stage === "backbone" || any) {
      const which = choice === undefined ? "" : ` with dtype ${choice}`;
      throw new HubFolderError(`no onnx/${graph}*.onnx${which} in ${folder.root}${any ? "" : `; ${LAYOUT}`}`);
    }
    return [];
  });
}

function parseDtypes(dtype: string | undefined): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>();
  for (const part of (dtype ?? "").split(",").filter((text) => text !== "")) {
    const [left = "", right] = part.split("=");
    const stage = right === undefined ? "*" : left;
    const name = right ?? left;
    if (!DTYPE_SUFFIXES.some(([known]) => known === name)) {
      throw new HubFolderError(`unknown dtype ${name}: ${DTYPE_SUFFIXES.map(([known]) => known).join(", ")}`);
    }
    if (stage !== "*" && !GRAPH_NAMES.some(([known]) => known === stage)) {
      throw new HubFolderError(`no stage with weights is called ${stage}`);
    }
    wanted.set(stage, name);
  }
  return wanted;
}
