import { FoveaError } from "../../../shared/errors/error.ts";
import type { Frame } from "../../../shared/frame/frame.ts";
import type { FrameFeature } from "../../../shared/frame/schema.ts";
import type { FeatureRows, GenerateRequest } from "../engine/request.ts";
import { decodeFeatures } from "../features/decode-features.ts";
import { featureCacheKey, type CachedFeatures, type FeatureCache } from "../features/feature-cache.ts";

/** The origin lacks features that the frame names by hash alone; the edge sends them with the next try. */
export class FeaturesMissing extends FoveaError {
  readonly hashes: readonly string[];

  constructor(hashes: readonly string[]) {
    super("features_missing", "The origin does not hold all features. Send them in the frame.");
    this.hashes = hashes;
  }
}

export interface ToRequestOptions {
  readonly id: string;
  readonly hiddenSize: number;
  readonly features: FeatureCache;
  /** Features that were encoded here of the pixels in the frame, by feature key. */
  readonly encoded: ReadonlyMap<string, CachedFeatures>;
  readonly deadline: number;
}

/**
 * A frame as the engine takes it. Features that came along are kept for the next question about the same picture.
 * @throws FoveaError `invalid_frame`, `features_missing` (as FeaturesMissing)
 */
export function toRequest({ meta, token_ids, tensors }: Frame, options: ToRequestOptions): GenerateRequest {
  const found = new Map<string, CachedFeatures>();
  const missing = new Set<string>();
  for (const feature of meta.features) {
    if (found.has(feature.hash)) continue;
    const key = featureCacheKey(meta.contract, feature.hash, meta.cache_salt);
    const held = feature.tensor === undefined ? options.features.get(key) : decode(feature, tensors, options);
    if (held === undefined) missing.add(feature.hash);
    else {
      found.set(feature.hash, held);
      if (feature.tensor !== undefined) options.features.set(key, held);
    }
  }
  if (missing.size > 0) throw new FeaturesMissing([...missing]);
  return {
    id: options.id,
    // A copy: a view would take the whole frame along to the engine's thread, and keep it as long as the request lasts.
    tokenIds: token_ids.slice(),
    features: meta.features.map((feature) => toRows(feature, found.get(feature.hash))),
    sampling: meta.sampling,
    salt: meta.cache_salt,
    priority: meta.priority,
    deadline: options.deadline,
  };
}

function decode(feature: FrameFeature, tensors: Frame["tensors"], options: ToRequestOptions): CachedFeatures {
  const name = feature.tensor ?? "";
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new FoveaError("invalid_frame", `The frame lacks ${name}.`);
  if (name.startsWith("pixels.")) {
    const encoded = options.encoded.get(feature.hash);
    if (encoded?.width === options.hiddenSize) return encoded;
    throw new FoveaError("invalid_frame", "The pixels do not become features of this model.");
  }
  return decodeFeatures(tensor, tensors.get(`${name}.scale`), options.hiddenSize);
}

function toRows({ hash, offset, length, row, grid_thw }: FrameFeature, held: CachedFeatures | undefined): FeatureRows {
  if (held === undefined || row + length > held.rows) {
    throw new FoveaError("invalid_frame", "A feature takes more rows than the picture has.");
  }
  const rows = held.values.subarray(row * held.width, (row + length) * held.width);
  return { hash, offset, length, row, rows, gridThw: grid_thw };
}
