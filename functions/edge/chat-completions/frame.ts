import type { EncodeResult } from "../../../shared/encoding/job.ts";
import { toPixelTensors, type PixelTensors } from "../../../shared/encoding/pixel-tensors.ts";
import { encodeFrame } from "../../../shared/frame/encode.ts";
import { FRAME_PROTOCOL } from "../../../shared/frame/schema.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import { tensorOf, type Tensor } from "../../../shared/safetensors/dtypes.ts";
import type { EdgeModel } from "../model/edge-model.ts";
import type { AnswerGrammar } from "./grammar.ts";
import type { Picture } from "./images.ts";
import type { Prompt } from "./prompt-ids.ts";
import { toSampling } from "./sampling.ts";

/** Projected features, or the picture's own pixels where the origin encodes. */
export type PictureForm = EncodeResult | "pixels";

export interface FrameParts {
  readonly request: ChatRequest;
  readonly model: EdgeModel;
  readonly prompt: Prompt;
  readonly pictures: readonly Picture[];
  readonly grammar: AnswerGrammar;
  /** Caches share nothing between two salts. */
  readonly salt: string;
  /** Features that travel, by feature key; a picture without any is named by its hash alone. */
  readonly features: ReadonlyMap<string, PictureForm>;
}

/** The frame of a chat. Two equal pictures share one tensor. */
export function chatFrame(parts: FrameParts): Uint8Array<ArrayBuffer> {
  const { request, model, prompt, pictures, grammar, salt, features } = parts;
  const { release, digest } = model.reader;
  const names = new Map([...features.keys()].map((hash, i) => [hash, nameOf(i, features.get(hash))]));
  const tensors: Record<string, Tensor> = {};
  const inputs = new Map<string, PixelTensors["inputs"]>();
  for (const [hash, form] of features) {
    const name = names.get(hash) ?? "";
    if (form !== "pixels") {
      tensors[name] = tensorOf("F16", [form.rows, form.width], form.image_features);
      continue;
    }
    const picture = pictures.find((one) => one.hash === hash);
    if (picture === undefined) continue;
    const pixels = toPixelTensors(name, picture.processed);
    Object.assign(tensors, pixels.tensors);
    inputs.set(hash, pixels.inputs);
  }
  return encodeFrame({
    meta: {
      protocol: FRAME_PROTOCOL,
      model: release.name,
      release: digest,
      contract: release.contractId,
      sampling: { ...toSampling(request, prompt.token_ids.length, model.config), ...grammar },
      features: prompt.runs.map(({ image, row, offset, length }) => {
        const { hash, processed } = pictures[image];
        const tensor = names.get(hash);
        const [grid_thw] = processed.image_grid_thw ?? [];
        const [image_sizes] = processed.image_sizes ?? [];
        return {
          modality: "image" as const,
          hash,
          offset,
          length,
          row,
          ...(tensor !== undefined && { tensor }),
          ...takeInputs(inputs, hash),
          ...(grid_thw !== undefined && { grid_thw: [...grid_thw] as [number, number, number] }),
          ...(image_sizes !== undefined && { image_sizes: [...image_sizes] as [number, number] }),
        };
      }),
      cache_salt: salt,
      priority: request.priority ?? 0,
    },
    token_ids: prompt.token_ids,
    tensors,
  });
}

function nameOf(index: number, form: PictureForm | undefined): string {
  return form === "pixels" ? `pixels.${index}` : `features.${index}`;
}

/** A picture may stand in many runs; what its encoder reads is named by the first. */
function takeInputs(inputs: Map<string, PixelTensors["inputs"]>, hash: string): { inputs?: Record<string, string> } {
  const own = inputs.get(hash);
  inputs.delete(hash);
  return own === undefined ? {} : { inputs: { ...own } };
}
