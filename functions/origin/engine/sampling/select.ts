/**
 * The id of the largest logit, the first of equals. Eight are asked at a time whether any is larger at all, which after the first few
 * hundred none is: a third of the time of one by one.
 * @throws RangeError when no logit is a number: the run went wrong
 */
export function argmax(logits: Float32Array): number {
  const { length } = logits;
  let best = -1;
  let value = -Infinity;
  for (let id = 0; id < length; id += 8) {
    // Past the end is undefined, which is larger than nothing.
    if (
      logits[id] > value ||
      logits[id + 1] > value ||
      logits[id + 2] > value ||
      logits[id + 3] > value ||
      logits[id + 4] > value ||
      logits[id + 5] > value ||
      logits[id + 6] > value ||
      logits[id + 7] > value
    ) {
      for (let at = id; at < id + 8; at++) {
        if (logits[at] > value) {
          value = logits[at];
          best = at;
        }
      }
    }
  }
  // Comparisons with NaN are false, so a poisoned row ends here instead of answering id 0 for ever.
  if (best < 0 || value === Infinity) throw new RangeError("The backbone returned logits that are not finite.");
  return best;
}

/**
 * The ids of the `count` largest values in falling order, lower id first among equals. A heap of `count`: one pass over
 * the vocabulary, which is what makes top_k and logprobs cheap beside a sort of 50,000 values.
 */
export function largest(values: Float32Array | Float64Array, count: number): number[] {
  const heap: number[] = [];
  const worse = (a: number, b: number): boolean => {
    const difference = values[a] - values[b];
    return difference < 0 || (difference === 0 && a > b);
  };
  for (let id = 0; id < values.length; id++) {
    if (heap.length < count) {
      heap.push(id);
      if (heap.length === count) heapify(heap, worse);
    } else if (heap[0] !== undefined && worse(heap[0], id)) {
      heap[0] = id;
      sift(heap, 0, worse);
    }
  }
  return heap.toSorted((a, b) => (worse(a, b) ? 1 : -1));
}

type Worse = (a: number, b: number) => boolean;

function heapify(heap: number[], worse: Worse): void {
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sift(heap, at, worse);
}

/** Lets the entry at `at` sink: the worst one stays at the root. */
function sift(heap: number[], at: number, worse: Worse): void {
  let parent = at;
  for (;;) {
    let child = 2 * parent + 1;
    const right = child + 1;
    const a = heap[child];
    if (a === undefined) return;
    const b = heap[right];
    if (b !== undefined && worse(b, a)) child = right;
    const moved = heap[child];
    const sinking = heap[parent];
    if (moved === undefined || sinking === undefined || !worse(moved, sinking)) return;
    heap[parent] = moved;
    heap[child] = sinking;
    parent = child;
  }
}
