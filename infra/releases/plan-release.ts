import { basename, dirname, join } from "node:path";
import { fitStages } from "../../shared/releases/budget.ts";
import type { Stage, StageName } from "../../shared/releases/schema.ts";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { KERNELS_VERSION, NATIVE_RUNTIME_NAME } from "../../shared/encoder/program/instructions.ts";
import { encoderFiles, type EncoderFiles } from "../encoder/encoder-files.ts";
import { plannedFromBytes, plannedFromDisk, plannedFromSegments, readPlanned, type PlannedFile } from "./file-plan.ts";
import { familyDefaults, findChatTemplate } from "./family-defaults.ts";
import { chooseGraphs, HubFolderError, readHubFolder, type HubFolder, type StageGraph } from "./hub-folder.ts";
import { memoryByteSource, withByteSource } from "./onnx/byte-source.ts";
import { externalLocations, moveWeights } from "./onnx/external-data.ts";
import { readGraphIo, type GraphIo } from "./onnx/graph-io.ts";
import { handBackRows } from "./onnx/hand-back-rows.ts";
import { readLicense } from "./license.ts";
import { encoderMemoryBytes, backboneMemoryBytes, textMemoryBytes } from "./stage-memory.ts";

/** Turns source files into what a stage runs. */
export interface StageCompilers {
  /** tokenizer.json and tokenizer_config.json, parsed -> the bytes of `tokenizer.bin`. */
  readonly tokenizer: (tokenizerJson: unknown, tokenizerConfig: unknown) => Uint8Array;
  /** A folder and its encoder graph -> program and weights for our own runtime; null when onnxruntime-web is to run it. */
  readonly encoder?: (dir: string, graph: string) => Promise<EncoderFiles | null>;
}

const COMPILERS: StageCompilers = { tokenizer: compileTokenizer, encoder: encoderFiles };

export interface PlannedRelease {
  readonly modelType: string;
  readonly license: string;
  readonly files: readonly PlannedFile[];
  readonly stages: Readonly<Partial<Record<StageName, Stage>>>;
}

export interface PlanOptions {
  /** `q8`, or `vision_encoder=fp32,backbone=q8`. */
  readonly dtype?: string;
  /** `"edge"` refuses a release whose encoder does not fit the encoder Worker, instead of placing it at the origin. */
  readonly encoder?: "edge" | "auto";
  /** SPDX identifier; else the model card's, else `NOASSERTION`. */
  readonly license?: string;
  readonly compilers?: StageCompilers;
}

/** A graph whose weights lie elsewhere is far smaller; a larger one stays as it is. */
const MAX_GRAPH_BYTES = 64 * 1024 * 1024;

const QFORMER = "qformer_tokenizer/";

/** What runs the stages; a stage's runtime is part of the feature id. */
const ORT_WEB = "onnxruntime-web@1.30.0";
const ORT_NODE = "onnxruntime-node@1.30.0";
const FOVEA = "fovea@1";

/** Configuration files by their upstream names; each goes to the stages that read it. */
const CHAT_TEMPLATE_FILES = [
  "chat_template.jinja",
  "chat_template.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
];
const IMAGE_PROCESSOR_FILES = ["preprocessor_config.json", "processor_config.json", "config.json"];
const BACKBONE_FILES = ["config.json", "generation_config.json"];
const TOKENIZER_FILES = ["tokenizer_config.json", "special_tokens_map.json", "generation_config.json"];

/**
 * Reads a model folder and says which files and stages its release has. Nothing is uploaded or written. An encoder that
 * does not fit its isolate is placed at the origin, unless `encoder` is `"edge"`.
 * Throws HubFolderError, or ReleaseError `budget_exceeded`.
 */
export async function planRelease(dir: string, options: PlanOptions = {}): Promise<PlannedRelease> {
  const folder = await readHubFolder(dir);
  const files = new Map<string, PlannedFile>();
  const stages: Partial<Record<StageName, Stage>> = {};
  const compilers = options.compilers ?? COMPILERS;
  const model = await describeModel(folder, options.license);
  const defaults = familyDefaults(model.modelType);
  await addText(folder, compilers, defaults.chatTemplate, files, stages);
  for (const graph of chooseGraphs(folder, options.dtype)) {
    const compiled = graph.stage === "vision_encoder" ? await compilers.encoder?.(folder.root, graph.file) : null;
    if (compiled === null || compiled === undefined) await addGraph(folder, graph, files, stages);
    else stages.vision_encoder = await addCompiledEncoder(folder, graph, compiled, files);
  }
  if (stages.backbone !== undefined && defaults.prompt !== undefined) {
    stages.backbone = { ...stages.backbone, prompt: defaults.prompt };
  }
  return {
    ...model,
    files: [...files.values()],
    stages: fitStages(stages, options.encoder === "edge"),
  };
}

async function addText(
  folder: HubFolder,
  compilers: StageCompilers,
  defaultTemplate: string | undefined,
  files: Map<string, PlannedFile>,
  stages: Partial<Record<StageName, Stage>>,
): Promise<void> {
  const program = await planTokenizer(folder, compilers);
  files.set(program.name, program);
  const text = { placement: "edge", movable: false, dtype: "none", runtime: FOVEA, inputs: [], outputs: [] } as const;
  const tokenizer = [program.name, ...(await take(folder, TOKENIZER_FILES, files))];
  // A Q-Former reads the prompt through a tokenizer of its own.
  if (folder.has(`${QFORMER}tokenizer.json`)) {
    const qformer = await planTokenizer(folder, compilers, QFORMER);
    files.set(qformer.name, qformer);
    tokenizer.push(qformer.name);
  }
  stages.tokenizer = { ...text, files: tokenizer, memoryBytes: textMemoryBytes(tokenizer, files) };
  const template = await take(folder, CHAT_TEMPLATE_FILES, files);
  if (defaultTemplate !== undefined && (await findChatTemplate(folder)) === null) {
    const file = plannedFromBytes("chat_template.jinja", new TextEncoder().encode(defaultTemplate));
    files.set(file.name, file);
    template.unshift(file.name);
  }
  if (template.length > 0)
    stages.chat_template = { ...text, files: template, memoryBytes: textMemoryBytes(template, files) };
  if (!folder.has("preprocessor_config.json")) return;
  const processor = await take(folder, IMAGE_PROCESSOR_FILES, files);
  stages.image_processor = { ...text, files: processor, memoryBytes: textMemoryBytes(processor, files) };
}

/** The compiled form alone: the edge holds what the release names, and parsing tokenizer.json would cost it 70 MB. */
async function planTokenizer(folder: HubFolder, compilers: StageCompilers, at = ""): Promise<PlannedFile> {
  const source = `${at}tokenizer.json`;
  if (!folder.has(source)) throw new HubFolderError(`${folder.root} has no ${source}`);
  const settings = `${at}tokenizer_config.json`;
  const config = folder.has(settings) ? await folder.json(settings) : undefined;
  return plannedFromBytes(`${at}tokenizer.bin`, compilers.tokenizer(await folder.json(source), config));
}

/** The compiled encoder takes the place of its graph: the edge holds one form, and the origin runs no other. */
async function addCompiledEncoder(
  folder: HubFolder,
  { file }: StageGraph,
  { program, weights, memoryBytes }: EncoderFiles,
  files: Map<string, PlannedFile>,
): Promise<Stage> {
  const io = await withByteSource(join(folder.root, file), readGraphIo);
  const planned = [
    plannedFromBytes("vision_encoder.bin", program),
    plannedFromBytes("vision_encoder.weights", weights),
  ];
  for (const one of planned) files.set(one.name, one);
  const names = planned.map(({ name }) => name);
  const runtime = `${NATIVE_RUNTIME_NAME}@${KERNELS_VERSION}`;
  return { placement: "edge", movable: false, files: names, dtype: "int8", runtime, ...io, memoryBytes };
}

async function addGraph(
  folder: HubFolder,
  { stage, dtype, file }: StageGraph,
  files: Map<string, PlannedFile>,
  stages: Partial<Record<StageName, Stage>>,
): Promise<void> {
  const { names, io } = await planGraph(folder, file, files);
  const weights = names.reduce((sum, name) => sum + (files.get(name)?.size ?? 0), 0);
  if (stage === "vision_encoder") {
    const memoryBytes = encoderMemoryBytes(weights, names.length > 1, dtype);
    stages[stage] = { placement: "edge", movable: true, files: names, dtype, runtime: ORT_WEB, ...io, memoryBytes };
    return;
  }
  const memoryBytes = backboneMemoryBytes(weights);
  const origin = { placement: "origin", movable: false, files: names, dtype, runtime: ORT_NODE, memoryBytes } as const;
  if (stage !== "backbone") {
    stages[stage] = { ...origin, ...io };
    return;
  }
  const rows = await inRows(file, files);
  names.push(...(await take(folder, BACKBONE_FILES, files)));
  stages[stage] = { ...origin, ...(rows ?? io) };
}

/** The decoder handing back new rows of its cache alone, where it can be made to; what goes in and out of it then. */
async function inRows(file: string, files: Map<string, PlannedFile>): Promise<GraphIo | null> {
  const planned = files.get(file);
  if (planned === undefined || planned.size > MAX_GRAPH_BYTES) return null;
  const graph = new Uint8Array(planned.size);
  await readPlanned(planned, 0, graph);
  const rewritten = await handBackRows(graph);
  if (rewritten === null) return null;
  files.set(file, plannedFromBytes(file, rewritten));
  return readGraphIo(memoryByteSource(rewritten));
}

/** The graph, then the external data it names; weights inside of the graph become external data, where their name is free. */
async function planGraph(
  folder: HubFolder,
  file: string,
  files: Map<string, PlannedFile>,
): Promise<{ readonly names: string[]; readonly io: GraphIo }> {
  const path = join(folder.root, file);
  const dataName = `${file}_data`;
  return withByteSource(path, async (source) => {
    const io = await readGraphIo(source);
    // A file of this name may hold what another graph names.
    const moved = folder.has(dataName) ? null : await moveWeights(source, path, basename(dataName));
    if (moved !== null) {
      files.set(file, plannedFromSegments(file, moved.graph));
      files.set(dataName, plannedFromSegments(dataName, moved.data));
      return { names: [file, dataName], io };
    }
    files.set(file, await plannedFromDisk(file, path));
    const locations = (await externalLocations(source)).map((location) => `${dirname(file)}/${location}`);
    const missing = locations.find((name) => !folder.has(name));
    if (missing !== undefined)
      throw new HubFolderError(`${file} has its weights in ${missing}, which is not in ${folder.root}`);
    return { names: [file, ...(await take(folder, locations, files))], io };
  });
}

/** Plans those of the files that the folder has. Refuses an empty one: a manifest can name none, and it says nothing. */
async function take(folder: HubFolder, names: readonly string[], files: Map<string, PlannedFile>): Promise<string[]> {
  const present = names.filter((name) => folder.has(name));
  for (const name of present) {
    const derived = folder.derived.get(name);
    const file =
      derived === undefined
        ? await plannedFromDisk(name, join(folder.root, name))
        : plannedFromBytes(name, new TextEncoder().encode(JSON.stringify(derived)));
    if (file.size === 0) throw new HubFolderError(`${name} in ${folder.root} is empty`);
    files.set(name, file);
  }
  return present;
}

async function describeModel(
  folder: HubFolder,
  chosen: string | undefined,
): Promise<{ modelType: string; license: string }> {
  const config = await folder.json("config.json");
  const modelType =
    typeof config === "object" && config !== null && "model_type" in config ? String(config.model_type) : "unknown";
  return { modelType, license: chosen ?? (await readLicense(folder)) };
}
