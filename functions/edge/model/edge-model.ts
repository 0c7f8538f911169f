import { ChatTemplate } from "../../../shared/chat-template/chat-template.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import type { ImageProcessor } from "../../../shared/image/processors/image-processor.ts";
import { createWasmResize } from "../../../shared/image/resample/wasm-resize.ts";
import { Memo } from "../../../shared/memo/memo.ts";
import type { ReleaseReader } from "../../../shared/releases/release-reader.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { codecModules } from "../media/codec-modules.workerd.ts";
import { chatTemplateSource, readSpecialTokens } from "./chat-template-source.ts";
import { parseModelConfig, type ModelConfig } from "./model-config.ts";

/** What the edge holds of a release: all that turns a chat into ids, and ids into text. */
export interface EdgeModel {
  readonly reader: ReleaseReader;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate;
  /** null for a model without eyes. */
  readonly imageProcessor: ImageProcessor | null;
  /** `processor_config.json`, for the expansion of image tokens; null when the release has none. */
  readonly processorConfig: unknown;
}

/** Stable and canary of a few models; a compiled tokenizer takes 1 to 8 MB. */
const MAX_MODELS = 4;

const resize = createWasmResize(codecModules.resample);

const models = new Memo<EdgeModel>({ max: MAX_MODELS, patienceMs: 10_000 });

/** The model of a release, loaded once per isolate. */
export function edgeModel(reader: ReleaseReader): Promise<EdgeModel> {
  return models.get(reader.digest, () => load(reader));
}

async function load(reader: ReleaseReader): Promise<EdgeModel> {
  const [program] = reader.stage("tokenizer").files;
  const source = await chatTemplateSource(reader);
  if (program === undefined || source === null) {
    throw new FoveaError("release_unavailable", "This model's release has no chat template, so it cannot chat.");
  }
  const tokenizer = Tokenizer.load(await reader.bytes(program));
  const special = await readSpecialTokens(reader);
  const config = await reader.json("config.json");
  const processorConfig = reader.has("processor_config.json") ? await reader.json("processor_config.json") : null;
  return {
    reader,
    config: parseModelConfig(
      config,
      reader.has("generation_config.json") ? await reader.json("generation_config.json") : {},
    ),
    tokenizer,
    chatTemplate: ChatTemplate.parse(source, {
      bosToken: special.bos_token ?? undefined,
      eosToken: special.eos_token ?? undefined,
      padToken: special.pad_token ?? undefined,
      unkToken: special.unk_token ?? undefined,
      controlTokens: tokenizer.controlTokens,
    }),
    imageProcessor: reader.has("preprocessor_config.json")
      ? createImageProcessor(await reader.json("preprocessor_config.json"), processorConfig, config, { resize })
      : null,
    processorConfig,
  };
}
