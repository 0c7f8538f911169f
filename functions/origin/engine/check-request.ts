import { FoveaError } from "../../../shared/errors/error.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import { checkGrid } from "./positions.ts";
import type { GenerateRequest } from "./request.ts";

/** What one engine takes; an `EngineHost` has it. */
export interface EngineLimits {
  readonly spec: BackboneSpec;
  readonly maxSequences: number;
  /** Tokens that the cache has for each of 1, 2, ... answers to one prompt while nothing else is in it, the prompt's among them. */
  readonly longest: readonly number[];
}

type CacheUse = Pick<GenerateRequest, "tokenIds" | "sampling">;

/**
 * What only the backbone's numbers can tell of a request. Frames are checked for themselves before.
 * @throws FoveaError `invalid_frame`, `context_length_exceeded`, `invalid_request`
 */
export function checkRequest(request: GenerateRequest, { spec, maxSequences, longest }: EngineLimits): void {
  const { tokenIds, features, sampling } = request;
  if (tokenIds.length === 0) throw invalid("there are no token ids");
  if (tokenIds.length >= spec.maxPositions) {
    throw new FoveaError(
      "context_length_exceeded",
      `The prompt has ${tokenIds.length} tokens; the model reads at most ${spec.maxPositions - 1}. Send a shorter one.`,
      { param: "messages" },
    );
  }
  if (tokenIds.some((id) => id < 0 || id >= spec.vocabSize)) throw invalid("a token id is outside the vocabulary");
  for (const feature of features) {
    const { rows, offset, length } = feature;
    if (rows.length !== length * spec.hiddenSize) throw invalid(`features are not ${spec.hiddenSize} wide`);
    if (offset + length > tokenIds.length) throw invalid("a feature lies outside of the prompt");
    checkGrid(feature, spec);
    checkPlaceholders(tokenIds.subarray(offset, offset + length), spec);
  }
  const covered = features.reduce((sum, { length }) => sum + length, 0);
  if (count(tokenIds, spec.imageTokenId) !== covered) throw invalid("a placeholder has no feature");
  const ids = [...sampling.stop_token_ids, ...sampling.logit_bias.map(([id]) => id)];
  const outside = ids.find((id) => id >= spec.vocabSize);
  if (outside !== undefined) throw new FoveaError("invalid_request", `Token id ${outside} is outside the vocabulary.`);
  if (sampling.n > maxSequences) {
    throw new FoveaError("invalid_request", `This origin gives at most ${maxSequences} answers at once.`, {
      param: "n",
    });
  }
  const never = neverFits(request, spec, longest[sampling.n - 1] ?? 0);
  if (never !== null) throw new FoveaError("invalid_request", never, { param: "max_tokens" });
}

/**
 * What to tell a client whose request needs more than the whole cache; null when it fits. Without `max_tokens` any answer does.
 * @param longest tokens that the cache has for each of its answers, the prompt's among them
 */
export function neverFits(request: CacheUse, { maxPositions }: BackboneSpec, longest: number): string | null {
  const { length } = request.tokenIds;
  const { n, max_tokens = 1 } = request.sampling;
  // The last token that is chosen is never fed back.
  const room = longest - length + 1;
  if (Math.min(max_tokens, maxPositions - length) <= room) return null;
  const answers = n === 1 ? "an answer" : `each of ${n} answers`;
  if (room >= 1)
    return `After this prompt this origin has room for ${room} tokens of ${answers}. Ask for fewer max_tokens.`;
  return `This origin holds ${longest} tokens for ${answers} with its prompt; the prompt alone has ${length}.`;
}

/** Features may replace placeholders only: elsewhere they would silently overwrite text. */
function checkPlaceholders(ids: Int32Array, { imageTokenId }: BackboneSpec): void {
  if (imageTokenId === null) throw invalid("the model reads no pictures");
  if (ids.some((id) => id !== imageTokenId)) throw invalid("a feature lies over ids that are no placeholders");
}

function count(ids: Int32Array, wanted: number | null): number {
  return ids.reduce((sum, id) => (id === wanted ? sum + 1 : sum), 0);
}

function invalid(what: string): FoveaError {
  return new FoveaError("invalid_frame", `The frame does not fit the model: ${what}.`);
}
