import type { EncodeResult } from "../../../shared/encoding/job.ts";
import { encodeFrame } from "../../../shared/frame/encode.ts";
import { FRAME_PROTOCOL } from "../../../shared/frame/schema.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import { tensorOf, type Tensor } from "../../../shared/safetensors/dtypes.ts";
import type { EdgeModel } from "../model/edge-model.ts";
import type { Picture } from "./images.ts";
import type { Prompt } from "./prompt.ts";
import { toSampling } from "./sampling.ts";

export interface FrameParts {
  readonly request: ChatRequest;
  readonly model: EdgeModel;
  readonly prompt: Prompt;
  readonly pictures: readonly Picture[];
  /** Caches share nothing between two salts. */
  readonly salt: string;
  /** Features that travel, by feature key; a picture without any is named by its hash alone. */
  readonly features: ReadonlyMap<string, EncodeResult>;
}

/** The frame of a chat. Two equal pictures share one tensor. */
export function chatFrame({ request, model, prompt, pictures, salt, features }: FrameParts): Uint8Array<ArrayBuffer> {
  const { release, digest } = model.reader;
  const names = new Map([...features.keys()].map((hash, i) => [hash, `features.${i}`]));
  const tensors: Record<string, Tensor> = {};
  for (const [hash, { rows, width, image_features }] of features) {
    tensors[names.get(hash) ?? ""] = tensorOf("F16", [rows, width], image_features);
  }
  return encodeFrame({
    meta: {
      protocol: FRAME_PROTOCOL,
      model: release.name,
      release: digest,
      contract: release.contractId,
      sampling: toSampling(request, prompt.token_ids.length, model.config),
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
