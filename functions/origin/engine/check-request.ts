import { FoveaError } from "../../../shared/errors/error.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import { checkGrid } from "./positions.ts";
import type { GenerateRequest } from "./request.ts";

/**
 * What only the backbone's numbers can tell of a request. Frames are checked for themselves before.
 * @throws FoveaError `invalid_frame`, `context_length_exceeded`
 */
export function checkRequest(request: GenerateRequest, spec: BackboneSpec, maxSequences: number): void {
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
  const ids = [...sampling.stop_token_ids, ...sampling.logit_bias.map(([id]) => id)];
  const outside = ids.find((id) => id >= spec.vocabSize);
  if (outside !== undefined) throw new FoveaError("invalid_request", `Token id ${outside} is outside the vocabulary.`);
  if (sampling.n > maxSequences) {
    throw new FoveaError("invalid_request", `This origin gives at most ${maxSequences} answers at once.`, {
      param: "n",
    });
  }
}

/** Features may replace placeholders only: elsewhere they would silently overwrite text. */
function checkPlaceholders(ids: Int32Array, { imageTokenId }: BackboneSpec): void {
  if (imageTokenId === null) throw invalid("the model reads no pictures");
  if (ids.some((id) => id !== imageTokenId)) throw invalid("a feature lies over ids that are no placeholders");
}

function invalid(what: string): FoveaError {
  return new FoveaError("invalid_frame", `The frame does not fit the model: ${what}.`);
}
