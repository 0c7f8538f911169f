import { imageTokenLayout } from "../../../shared/chat-template/image-tokens/expand.ts";
import type { ImageTokenLayout } from "../../../shared/chat-template/image-tokens/layout.ts";
import { ChatTemplate } from "../../../shared/chat-template/chat-template.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import type { ImageProcessor } from "../../../shared/image/processors/image-processor.ts";
import { createWasmResize } from "../../../shared/image/resample/wasm-resize.ts";
import { Memo } from "../../../shared/memo/memo.ts";
import type { ReleaseReader } from "../../../shared/releases/release-reader.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import type { ToolCallFormat } from "../../../shared/tool-calls/tool-call-format.ts";
import { codecModules } from "../media/codec-modules.workerd.ts";
import { chatTemplateSource, readSpecialTokens } from "./chat-template-source.ts";
import { contentFormats, type ContentFormats } from "./content-format.ts";
import { parseModelConfig, type ModelConfig } from "./model-config.ts";
import { toolCallFormats } from "./tool-call-format.ts";

/** What the edge holds of a release: all that turns a chat into ids, and ids into text. */
export interface EdgeModel {
  readonly reader: ReleaseReader;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** `bos_token` of tokenizer_config.json. */
  readonly bosToken: string | null;
  readonly chatTemplate: ChatTemplate;
  readonly contentFormat: ContentFormats;
  /** How the model writes tool calls. @throws FoveaError `invalid_request` when its template takes no tools */
  readonly toolCallFormat: () => ToolCallFormat;
  /** null for a model without eyes. */
  readonly imageProcessor: ImageProcessor | null;
  /** How the family writes a picture into a prompt; null for a model without eyes. */
  readonly imageTokens: ImageTokenLayout | null;
  /** What the Q-Former of InstructBLIP reads the prompt with; null for other families. */
  readonly qformer: { readonly tokenizer: Tokenizer; readonly maxPositions: number } | null;
}

/** The compiled form of `qformer_tokenizer/tokenizer.json`. */
const QFORMER_TOKENIZER = "qformer_tokenizer/tokenizer.bin";

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
  const qformerTokenizer = reader.has(QFORMER_TOKENIZER) ? Tokenizer.load(await reader.bytes(QFORMER_TOKENIZER)) : null;
  const processorConfig = reader.has("processor_config.json") ? await reader.json("processor_config.json") : null;
  const modelConfig = parseModelConfig(
    config,
    reader.has("generation_config.json") ? await reader.json("generation_config.json") : {},
  );
  const chatTemplate = ChatTemplate.parse(source, {
    bosToken: special.bos_token ?? undefined,
    eosToken: special.eos_token ?? undefined,
    padToken: special.pad_token ?? undefined,
    unkToken: special.unk_token ?? undefined,
    // User text can make a control token of neither tokenizer
    controlTokens: [...new Set([...tokenizer.controlTokens, ...(qformerTokenizer?.controlTokens ?? [])])],
  });
  const contentFormat = contentFormats(chatTemplate);
  return {
    reader,
    config: modelConfig,
    tokenizer,
    bosToken: special.bos_token ?? null,
    chatTemplate,
    contentFormat,
    toolCallFormat: toolCallFormats(chatTemplate, contentFormat),
    imageProcessor: reader.has("preprocessor_config.json")
      ? createImageProcessor(await reader.json("preprocessor_config.json"), processorConfig, config, { resize })
      : null,
    imageTokens: modelConfig.imageTokenId === null ? null : layoutOf(modelConfig),
    qformer:
      qformerTokenizer === null ? null : { tokenizer: qformerTokenizer, maxPositions: modelConfig.qformerPositions },
  };
}

/** A release of a family that this runtime does not know is refused, never answered by another family's rules. */
function layoutOf({ modelType }: ModelConfig): ImageTokenLayout {
  const layout = imageTokenLayout(modelType);
  if (layout === undefined) {
    throw new FoveaError("release_unavailable", `The family ${modelType} of this release is not served.`);
  }
  return layout;
}
