import { cacheArray, type CacheArray } from "./cache-array.ts";
import { copyRows, copyRun } from "./kv-copy.ts";
import type { PromptPositions } from "./position-ids.ts";
import type { KvSequence } from "./backbone.ts";
import { growingRoom, slotsFor, wholeRoom } from "./slot-sizes.ts";
import { cacheTensorNames, type BackboneSpec } from "./spec.ts";

export class SlotSequence implements KvSequence {
  held = 0;
  slot: number;
  positions: PromptPositions | undefined = undefined;

  constructor(slot: number) {
    this.slot = slot;
  }
}

/**
 * The caches of many sequences in one array per tensor, `[slots, kv_heads, room, head_dim]`. A graph sees the slots of
 * one call as a view without a copy, so they must be neighbours: `arrange` moves sequences to the front.
 */
export class SlotCache {
  readonly #spec: BackboneSpec;
  readonly #maxSlots: number;
  readonly #tensors: number;
  readonly #onMove: () => void;
  #arrays: CacheArray[] = [];
  #room = 0;
  #slots: (SlotSequence | undefined)[] = [];
  /** What the longest sequence is going to hold, as far as is known. */
  #longest: number;
  /** Slots of a sequence that is alone: two where its row runs beside an idle one. */
  lone = 1;

  /** @param onMove called before the arrays are let go for others: whoever keeps views drops them, or both would stay in memory */
  constructor(spec: BackboneSpec, maxSlots: number, onMove: () => void = () => undefined) {
    this.#onMove = onMove;
    this.#spec = spec;
    this.#maxSlots = maxSlots;
    this.#longest = spec.maxPositions;
    this.#tensors = cacheTensorNames(spec.layers).length;
  }

  get room(): number {
    return this.#room;
  }

  /** Slots that exist. */
  get slots(): number {
    return this.#slots.length;
  }

  get bytes(): number {
    return this.#arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** A slot for one more sequence. @throws RangeError when all are taken: the engine never opens more than it may */
  open(expected: number): SlotSequence {
    let free = this.#slots.indexOf(undefined);
    if (free < 0) {
      free = this.#slots.length;
      if (free >= this.#maxSlots) throw new RangeError("No cache slot is free.");
    }
    const slots = Math.max(this.#slots.length, slotsFor(free + 1, this.lone, this.#maxSlots));
    this.#reshape(slots, Math.max(this.#room, growingRoom(expected, this.#longest)));
    const sequence = new SlotSequence(free);
    this.#slots[free] = sequence;
    return sequence;
  }

  close(sequence: SlotSequence): void {
    this.#own(sequence);
    this.#slots[sequence.slot] = undefined;
    sequence.held = 0;
    // An idle engine gives the memory back, and the next sequence finds a room of its own size.
    if (this.#slots.every((slot) => slot === undefined)) this.#reset();
  }

  /** Makes room for `tokens` positions in every slot. */
  reserve(tokens: number): void {
    if (tokens > this.#room) this.#reshape(this.#slots.length, growingRoom(tokens, this.#longest));
  }

  /** Positions in memory, over all slots, once sequences of these lengths are open. What is there already stays. */
  footprint(lengths: readonly number[]): number {
    if (lengths.length === 0) return this.#slots.length * this.#room;
    const slots = Math.max(this.#slots.length, slotsFor(lengths.length, this.lone, this.#maxSlots));
    return slots * Math.max(this.#room, wholeRoom(Math.max(...lengths)));
  }

  /**
   * Tells that no more sequences than these will be open, and none longer: from then on `footprint(lengths)` is not passed.
   * @param tight also gives back memory that they do not need
   */
  plan(lengths: readonly number[], tight: boolean): void {
    if (lengths.length === 0) return;
    this.#longest = Math.max(...lengths);
    if (!tight) return;
    const slots = Math.min(this.#slots.length, slotsFor(lengths.length, this.lone, this.#maxSlots));
    if (slots < this.#slots.length) this.arrange(this.#slots.filter((slot) => slot !== undefined));
    this.#reshape(slots, Math.min(this.#room, wholeRoom(this.#longest)));
  }

  /** Brings the sequences into slots `0..n-1`, in no set order, and returns them in the order of their slots. */
  arrange(sequences: readonly SlotSequence[]): readonly SlotSequence[] {
    const count = sequences.length;
    const wanted = new Set(sequences);
    for (const sequence of sequences) this.#own(sequence);
    const misplaced = sequences.filter(({ slot }) => slot >= count);
    for (let slot = 0; slot < count && misplaced.length > 0; slot++) {
      const resident = this.#slots[slot];
      if (resident !== undefined && wanted.has(resident)) continue;
      const mover = misplaced.pop();
      if (mover !== undefined) this.#swap(mover, slot);
    }
    return sequences.toSorted((a, b) => a.slot - b.slot);
  }

  /** Tensor `index` over `count` slots from `first` on: `[count, kv_heads, room, head_dim]`, a view. */
  view(index: number, first: number, count: number): CacheArray {
    const size = this.#slotSize(this.#room);
    return this.#array(index).subarray(first * size, (first + count) * size);
  }

  /** Where the next row of each head of each sequence belongs, the same in every tensor, in the order in which a call returns them. */
  nextRows(sequences: readonly SlotSequence[]): Int32Array {
    const { kvHeads, headDim } = this.#spec;
    const size = this.#slotSize(this.#room);
    const places = new Int32Array(sequences.length * kvHeads);
    for (const [n, { slot, held }] of sequences.entries())
      for (let head = 0; head < kvHeads; head++)
        places[n * kvHeads + head] = slot * size + (head * this.#room + held) * headDim;
    return places;
  }

  /** Appends new rows `[B, kv_heads, width, head_dim]` at `places` of `nextRows`; `held` is moved on by the caller, once for all tensors. */
  putRows(index: number, places: Int32Array, rows: CacheArray): void {
    const array = this.#array(index);
    const length = rows.length / places.length;
    let from = 0;
    for (const place of places) {
      copyRun(rows, from, array, place, length);
      from += length;
    }
  }

  /** `[tensors, kv_heads, count, head_dim]`, a copy. */
  readBlock(sequence: SlotSequence, from: number, count: number): CacheArray {
    const { kvHeads, headDim, cacheType } = this.#spec;
    const size = kvHeads * count * headDim;
    const block = cacheArray(cacheType, this.#tensors * size);
    for (let index = 0; index < this.#tensors; index++) {
      const target = { array: block, offset: index * size, room: count, at: 0 };
      copyRows(this.#place(index, sequence, from), target, count, kvHeads, headDim);
    }
    return block;
  }

  appendBlock(sequence: SlotSequence, block: CacheArray, count: number): void {
    this.reserve(sequence.held + count);
    const size = this.#spec.kvHeads * count * this.#spec.headDim;
    const places = this.nextRows([sequence]);
    for (let index = 0; index < this.#tensors; index++) {
      this.putRows(index, places, block.subarray(index * size, (index + 1) * size));
    }
    sequence.held += count;
  }

  #place(
    index: number,
    sequence: Pick<SlotSequence, "slot">,
    at: number,
  ): { array: CacheArray; offset: number; room: number; at: number } {
    return { array: this.#array(index), offset: sequence.slot * this.#slotSize(this.#room), room: this.#room, at };
  }

  #slotSize(room: number): number {
    return this.#spec.kvHeads * room * this.#spec.headDim;
  }

  #swap(mover: SlotSequence, slot: number): void {
    const resident = this.#slots[slot];
    const from = mover.slot;
    const { kvHeads, headDim, cacheType } = this.#spec;
    // Before anything moves, since it can fail.
    const spare = resident === undefined ? null : cacheArray(cacheType, this.#slotSize(this.#room));
    for (let index = 0; index < this.#tensors; index++) {
      spare?.set(this.view(index, slot, 1));
      const target = this.#place(index, { slot }, 0);
      copyRows(this.#place(index, mover, 0), target, mover.held, kvHeads, headDim);
      if (spare !== null) this.view(index, from, 1).set(spare);
    }
    this.#slots[from] = resident;
    if (resident !== undefined) resident.slot = from;
    this.#slots[slot] = mover;
    mover.slot = slot;
  }

  #reshape(slots: number, room: number): void {
    if (slots === this.#slots.length && room === this.#room) return;
    const { kvHeads, headDim, cacheType } = this.#spec;
    const old = { room: this.#room, size: this.#slotSize(this.#room) };
    const size = this.#slotSize(room);
    // All of them before anything changes, since each can fail. The system gives pages where rows are written, so that old and
    // new never stand side by side in whole.
    const made = Array.from({ length: this.#tensors }, () => cacheArray(cacheType, slots * size));
    this.#onMove();
    for (const [index, grown] of made.entries()) {
      const source = this.#arrays[index] ?? cacheArray(cacheType, 0);
      for (const sequence of this.#slots) {
        if (sequence === undefined) continue;
        const from = { array: source, offset: sequence.slot * old.size, room: old.room, at: 0 };
        const to = { array: grown, offset: sequence.slot * size, room, at: 0 };
        copyRows(from, to, sequence.held, kvHeads, headDim);
      }
      this.#arrays[index] = grown;
    }
    this.#room = room;
    this.#slots = Array.from({ length: slots }, (_, slot) => this.#slots[slot]);
  }

  #reset(): void {
    this.#onMove();
    this.#arrays = [];
    this.#slots = [];
    this.#room = 0;
  }

  #array(index: number): CacheArray {
    const array = this.#arrays[index];
    if (array === undefined) throw new RangeError(`no cache tensor ${index}`);
    return array;
  }

  #own(sequence: SlotSequence): void {
    if (this.#slots[sequence.slot] !== sequence) throw new TypeError("This cache slot belongs to another sequence.");
  }
}
