import { argmax, largest } from "./select.ts";

export interface DrawOptions {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly min_p: number;
}

/**
 * Draws one id: temperature, then min_p (arXiv:2407.01082), top_k, top_p (nucleus, arXiv:1904.09751), as vLLM orders
 * them. Candidates stand in falling order of probability, lower id first, so that one random number means one id.
 * @param random uniform in [0, 1)
 */
export function draw(logits: Float32Array, options: DrawOptions, random: number): number {
  const best = argmax(logits);
  const { temperature, top_k, top_p, min_p } = options;
  if (temperature === 0) return best;

  // Weights relative to the best token, so that nothing overflows: exp((logit - max) / temperature), at most 1.
  const max = logits[best];
  const { length } = logits;
  const weights = new Float64Array(length);
  let total = 0;
  for (let id = 0; id < length; id++) {
    const weight = Math.exp((logits[id] - max) / temperature);
    if (!(weight >= min_p)) continue;
    weights[id] = weight;
    total += weight;
  }
  // A top_k of the whole vocabulary keeps everything.
  const cut = top_k > 0 && top_k < length;
  if (!cut && top_p === 1) return pick(weights, null, total * random);

  let ids = cut ? largest(weights, top_k) : nucleusCandidates(weights, top_p, total);
  // The mass of top_p is of what top_k has left.
  if (cut) total = ids.reduce((sum, id) => sum + weights[id], 0);
  if (top_p < 1) ids = nucleus(weights, ids, total * top_p);
  return pick(weights, ids, ids.reduce((sum, id) => sum + weights[id], 0) * random);
}

/**
 * Ids that a nucleus of mass `top_p` can hold, sorted. A token below `(1 - top_p) / vocab` of the mass cannot be in it:
 * all tokens that small weigh less than what may be left out. That drops nearly all of them before the sort.
 */
function nucleusCandidates(weights: Float64Array, top_p: number, total: number): number[] {
  const cutoff = (total * (1 - top_p)) / weights.length;
  const ids: number[] = [];
  for (let id = 0; id < weights.length; id++) if (weights[id] >= cutoff && weights[id] > 0) ids.push(id);
  return ids.toSorted((a, b) => weights[b] - weights[a] || a - b);
}

/** The shortest head of `ids` whose weights reach `mass`; at least one. */
function nucleus(weights: Float64Array, ids: readonly number[], mass: number): number[] {
  let sum = 0;
  for (let count = 0; count < ids.length; count++) {
    sum += weights[ids[count]];
    if (sum >= mass) return ids.slice(0, count + 1);
  }
  return [...ids];
}

/** The first id at which the running sum of weights passes `target`; null: of all ids in order, for which an iterator is slow. */
function pick(weights: Float64Array, ids: readonly number[] | null, target: number): number {
  const length = ids?.length ?? weights.length;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < length; i++) {
    const id = ids === null ? i : ids[i];
    if (weights[id] === 0) continue;
    sum += weights[id];
    last = id;
    if (sum > target) return id;
  }
  return last;
}
