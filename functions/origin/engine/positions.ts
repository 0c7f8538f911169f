import { FoveaError } from "../../../shared/errors/error.ts";
import type { PromptPositions } from "../backbones/position-ids.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import type { FeatureRows, GenerateRequest } from "./request.ts";

/**
 * M-RoPE positions of a prompt; undefined for models that count 0, 1, 2, ... Text counts up on all three axes alike. A
 * picture of t x h x w merged cells that begins at p has time p + its frame, row p + r, column p + c; what follows begins
 * at p + max(t, h, w).
 *
 * Source: transformers, models/qwen2_vl/modeling_qwen2_vl.py (`get_rope_index`), models/glm4v.
 */
export function promptPositions(
  { tokenIds, features }: Pick<GenerateRequest, "tokenIds" | "features">,
  spec: Pick<BackboneSpec, "positions" | "mergeSize">,
): PromptPositions | undefined {
  if (spec.positions !== "mrope") return undefined;
  const length = tokenIds.length;
  const ids = new Int32Array(3 * length);
  const set = (index: number, time: number, row: number, column: number): void => {
    ids[index] = time;
    ids[length + index] = row;
    ids[2 * length + index] = column;
  };
  let next = 0;
  let done = 0;
  const text = (until: number): void => {
    for (; done < until; done++, next++) set(done, next, next, next);
  };
  for (const feature of features) {
    text(feature.offset);
    const [t, h, w] = cellsOf(feature, spec.mergeSize);
    for (let time = 0; time < t; time++) {
      for (let row = 0; row < h; row++) {
        for (let column = 0; column < w; column++) set(done++, next + time, next + row, next + column);
      }
    }
    next += Math.max(t, h, w);
  }
  text(length);
  return { ids, delta: next - length };
}

/**
 * A picture's grid must be whole, and have as many cells as the picture has rows.
 * @throws FoveaError `invalid_frame`
 */
export function checkGrid(feature: FeatureRows, spec: Pick<BackboneSpec, "positions" | "mergeSize">): void {
  if (spec.positions !== "mrope") return;
  const [t, h, w] = cellsOf(feature, spec.mergeSize);
  if (feature.row !== 0 || ![t, h, w].every(Number.isInteger) || t * h * w !== feature.length) {
    throw new FoveaError("invalid_frame", "The frame does not fit the model: a picture's grid_thw is not its rows.");
  }
}

function cellsOf({ gridThw: [t, h, w] = [0, 0, 0] }: FeatureRows, mergeSize: number): [number, number, number] {
  return [t, h / mergeSize, w / mergeSize];
}
