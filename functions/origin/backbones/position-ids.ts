import { Tensor } from "onnxruntime-node";
import type { BackboneSpec } from "./spec.ts";

/** Where the tokens of a prompt stand when they do not simply count up. */
export interface PromptPositions {
  /** I32 `[3, S]`: time, row, column. */
  readonly ids: Int32Array;
  /** The first new token's position less its index; the same on all axes. */
  readonly delta: number;
}

interface Placed {
  readonly held: number;
  readonly positions?: PromptPositions | undefined;
}

/** The input `position_ids` for `width` new tokens of each sequence, as the graph declares it; nothing where it has none. */
export function positionIds(
  { positions, firstPosition }: Pick<BackboneSpec, "positions" | "firstPosition">,
  sequences: readonly Placed[],
  width: number,
): Record<string, Tensor> {
  if (positions === "none") return {};
  const axes = positions === "mrope" ? 3 : 1;
  const batch = sequences.length;
  const ids = new BigInt64Array(axes * batch * width);
  for (let axis = 0; axis < axes; axis++) {
    sequences.forEach(({ held, positions: placed }, row) => {
      const at = (axis * batch + row) * width;
      for (let i = 0; i < width; i++) {
        ids[at + i] = BigInt(placed ? positionAt(axis, held + i, placed) : firstPosition + held + i);
      }
    });
  }
  const dims = positions === "mrope" ? [axes, batch, width] : [batch, width];
  return { position_ids: new Tensor("int64", ids, dims) };
}

function positionAt(axis: number, index: number, placed: PromptPositions): number {
  const length = placed.ids.length / 3;
  return index < length ? (placed.ids[axis * length + index] ?? index) : index + placed.delta;
}
