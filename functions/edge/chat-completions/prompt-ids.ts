import { expandImageTokens } from "../../../shared/chat-template/image-tokens/expand.ts";
import type { ImageFeatureGrid, ImageTokenLayout } from "../../../shared/chat-template/image-tokens/layout.ts";
import type { PromptText } from "../../../shared/chat-template/prompt-text.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { ImageProcessor, ProcessedImages } from "../../../shared/image/processors/image-processor.ts";
import type { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import type { ModelConfig } from "../model/model-config.ts";

/** A run of placeholder ids, and which rows of which picture replace them. */
export interface PlaceholderRun {
  readonly image: number;
  readonly row: number;
  readonly offset: number;
  readonly length: number;
}

export interface Prompt {
  /** I32 `[S]`: the whole prompt, placeholders expanded. */
  readonly token_ids: Int32Array;
  readonly runs: readonly PlaceholderRun[];
}

/** What the expansion reads of a processed picture: not its pixels. */
export type ProcessedShape = Pick<ProcessedImages, "num_image_tokens" | "shape" | "rows" | "cols">;

/** What of a model the ids of a prompt depend on; `EdgeModel` has it. */
export interface PromptModel {
  readonly config: Pick<ModelConfig, "imageTokenId">;
  readonly tokenizer: Tokenizer;
  readonly bosToken: string | null;
  readonly imageProcessor: ImageProcessor | null;
  readonly imageTokens: ImageTokenLayout | null;
}

/** Expands each image token as the family does, to the number of its picture's feature rows, and tokenizes. */
export function buildPrompt(rendered: PromptText, model: PromptModel, images: readonly ProcessedShape[]): Prompt {
  const { imageTokens, tokenizer, config } = model;
  const grids = images.map(gridOf);
  const expanded = imageTokens === null ? rendered : expandImageTokens(rendered, imageTokens, grids);
  const token_ids = tokenizer.encodePrompt(expanded, { addSpecialTokens: addsSpecialTokens(rendered, model) });
  const rows = grids.map(({ features }) => features);
  return { token_ids, runs: placeholderRuns(token_ids, config.imageTokenId, rows) };
}

/**
 * Whether the tokenizer's post-processor adds its tokens. Never to the chat of a text model; with eyes, unless the family
 * writes them itself or the template has written the first of them.
 *
 * Source: transformers, `apply_chat_template` of tokenization_utils_base.py and processing_utils.py.
 */
function addsSpecialTokens(rendered: PromptText, { imageProcessor, imageTokens, bosToken }: PromptModel): boolean {
  if (imageProcessor === null || imageTokens?.writesSpecialTokens === true) return false;
  return bosToken === null || !rendered.startsWithControl(bosToken);
}

/** One picture was processed alone, so that all counts of `processed` are its own. */
function gridOf({ num_image_tokens, shape, rows, cols }: ProcessedShape): ImageFeatureGrid {
  return {
    features: num_image_tokens[0] ?? 0,
    tileRows: rows?.[0] ?? 0,
    tileColumns: cols?.[0] ?? 0,
    frames: shape.slice(0, -3).reduce((product, size) => product * size, 1),
  };
}

/** Pictures fill the placeholders in their order, row by row; both must end together. */
export function placeholderRuns(
  token_ids: Int32Array,
  imageTokenId: number | null,
  rows: readonly number[],
): PlaceholderRun[] {
  const runs: PlaceholderRun[] = [];
  let image = 0;
  let row = 0;
  for (let offset = 0; offset < token_ids.length;) {
    if (token_ids[offset] !== imageTokenId) {
      offset++;
      continue;
    }
    let end = offset;
    while (token_ids[end] === imageTokenId) end++;
    while (offset < end) {
      const left = (rows[image] ?? 0) - row;
      if (left <= 0) throw mismatch();
      const length = Math.min(left, end - offset);
      runs.push({ image, row, offset, length });
      offset += length;
      row += length;
      if (row === rows[image]) {
        image++;
        row = 0;
      }
    }
  }
  if (image !== rows.length) throw mismatch();
  return runs;
}

function mismatch(): FoveaError {
  return new FoveaError("invalid_request", "The model's chat template does not take images in these messages.", {
    param: "messages",
  });
}
