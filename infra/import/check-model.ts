import * as z from "zod";
import { ChatTemplate } from "../../shared/chat-template/chat-template.ts";
import { imageTokenLayout } from "../../shared/chat-template/image-tokens/expand.ts";
import { ENCODER_INPUTS } from "../../shared/encoding/encoder-inputs.ts";
import type { StageName, StageTensor } from "../../shared/releases/schema.ts";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { familyDefaults, findChatTemplate } from "../releases/family-defaults.ts";
import type { HubFolder } from "../releases/hub-folder.ts";
import { imageProcessorOf } from "../releases/image-processor.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";

/** What stands in the way of serving a model. */
export interface Obstacle {
  readonly stage: StageName | "model";
  readonly file: string;
  /** Key of a JSON file, or input of a graph; absent when it is the file as a whole. */
  readonly key?: string;
  readonly reason: string;
}

/** A model that cannot be served, with everything that stands in the way. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  readonly obstacles: readonly Obstacle[];

  constructor(obstacles: readonly Obstacle[]) {
    const lines = obstacles.map(
      ({ stage, file, key, reason }) => `  ${stage}: ${file}${key ? ` ${key}` : ""}: ${reason}`,
    );
    super(`this model cannot be served:\n${lines.join("\n")}`);
    this.obstacles = obstacles;
  }
}

const configSchema = z.object({
  model_type: z.string(),
  image_token_index: z.int().nullish(),
  image_token_id: z.int().nullish(),
  is_encoder_decoder: z.boolean().nullish(),
  use_decoder_only_language_model: z.boolean().nullish(),
  audio_config: z.unknown().optional(),
});

/** Checks the files that the edge reads: family, tokenizer, chat template, image processor. */
export async function checkFiles(folder: HubFolder): Promise<Obstacle[]> {
  const config = configSchema.safeParse(await folder.json("config.json"));
  if (!config.success) {
    const key = config.error.issues[0]?.path.join(".") ?? "";
    return [{ stage: "model", file: "config.json", key, reason: "is not what transformers writes" }];
  }
  return [
    ...checkFamily(config.data, folder),
    ...(await checkTokenizer(folder)),
    ...(await checkTemplate(config.data.model_type, folder)),
    ...(await checkProcessor(folder)),
  ];
}

function checkFamily(config: z.output<typeof configSchema>, folder: HubFolder): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const at = (key: string, reason: string): void => {
    obstacles.push({ stage: "model", file: "config.json", key, reason });
  };
  const sees = folder.has("preprocessor_config.json");
  if (sees && imageTokenLayout(config.model_type) === undefined)
    at("model_type", `the family ${config.model_type} is not served`);
  if (sees && (config.image_token_id ?? config.image_token_index ?? null) === null) {
    at("image_token_id", "is missing, so nothing says where pictures go");
  }
  if ((config.audio_config ?? null) !== null) at("audio_config", "models that hear are not served");
  if (config.is_encoder_decoder === true || config.use_decoder_only_language_model === false) {
    at("is_encoder_decoder", "backbones with an encoder of text are not served");
  }
  return obstacles;
}

async function checkTokenizer(folder: HubFolder): Promise<Obstacle[]> {
  const obstacles: Obstacle[] = [];
  const places = folder.files.some((file) => file.startsWith("qformer_tokenizer/")) ? ["", "qformer_tokenizer/"] : [""];
  for (const at of places) {
    const file = `${at}tokenizer.json`;
    try {
      const config = folder.has(`${at}tokenizer_config.json`)
        ? await folder.json(`${at}tokenizer_config.json`)
        : undefined;
      compileTokenizer(await folder.json(file), config);
    } catch (error) {
      obstacles.push({ stage: "tokenizer", file, reason: folder.has(file) ? reasonOf(error) : "is missing" });
    }
  }
  return obstacles;
}

async function checkTemplate(modelType: string, folder: HubFolder): Promise<Obstacle[]> {
  const found = await findChatTemplate(folder);
  if (found !== null) return found.source === null ? [] : parseTemplate(found.source, found.file);
  if (familyDefaults(modelType).chatTemplate !== undefined) return [];
  return [{ stage: "chat_template", file: "chat_template.jinja", reason: "there is no chat template" }];
}

function parseTemplate(source: string, file: string): Obstacle[] {
  try {
    ChatTemplate.parse(source, { controlTokens: [] });
    return [];
  } catch (error) {
    return [{ stage: "chat_template", file, reason: reasonOf(error) }];
  }
}

async function checkProcessor(folder: HubFolder): Promise<Obstacle[]> {
  const file = "preprocessor_config.json";
  if (!folder.has(file)) return [];
  try {
    await imageProcessorOf(folder);
    return [];
  } catch (error) {
    return [{ stage: "image_processor", file, reason: reasonOf(error) }];
  }
}

/** Checks the signatures of the graphs. */
export function checkGraphs({ stages }: PlannedRelease): Obstacle[] {
  const { vision_encoder: encoder, embed_tokens, backbone, image_processor } = stages;
  const obstacles: Obstacle[] = [];
  const need = (
    stage: StageName,
    tensors: readonly StageTensor[],
    file: string,
    name: string,
    dtypes: readonly string[] = ["float32"],
  ): void => {
    const found = tensors.find((tensor) => tensor.name === name);
    const reason =
      found === undefined
        ? "is missing"
        : dtypes.includes(found.dtype)
          ? null
          : `is ${found.dtype}, not ${dtypes.join(" or ")}`;
    if (reason !== null) obstacles.push({ stage, file, key: name, reason });
  };
  if (image_processor !== undefined && encoder === undefined) {
    obstacles.push({ stage: "vision_encoder", file: "onnx/vision_encoder.onnx", reason: "is missing" });
  }
  if (encoder !== undefined && image_processor === undefined) {
    obstacles.push({ stage: "image_processor", file: "preprocessor_config.json", reason: "is missing" });
  }
  if (encoder !== undefined) {
    const [file = ""] = encoder.files;
    need("vision_encoder", encoder.inputs, file, "pixel_values");
    need("vision_encoder", encoder.outputs, file, "image_features");
    for (const { name } of encoder.inputs) {
      if (!ENCODER_INPUTS.has(name)) {
        obstacles.push({ stage: "vision_encoder", file, key: name, reason: "is an input that no picture gives" });
      }
    }
  }
  if (embed_tokens === undefined) {
    obstacles.push({ stage: "embed_tokens", file: "onnx/embed_tokens.onnx", reason: "is missing" });
  } else need("embed_tokens", embed_tokens.outputs, embed_tokens.files[0] ?? "", "inputs_embeds");
  if (backbone !== undefined) {
    const [file = ""] = backbone.files;
    need("backbone", backbone.inputs, file, "inputs_embeds");
    need("backbone", backbone.inputs, file, "past_key_values.0.key", ["float32", "float16"]);
    need("backbone", backbone.outputs, file, "logits");
    for (const { name } of backbone.inputs) {
      if (
        !/^(?:inputs_embeds|attention_mask|position_ids|logits_index|past_key_values\.\d+\.(?:key|value))$/.test(name)
      ) {
        obstacles.push({ stage: "backbone", file, key: name, reason: "is an input that the engine does not fill" });
      }
    }
  }
  return obstacles;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
