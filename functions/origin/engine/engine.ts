import type { Backbone, DecodeRow, KvSequence } from "../backbones/backbone.ts";
import { readsWhole } from "../backbones/spec.ts";
import { CacheRoom, longestOf } from "./cache-room.ts";
import { neverFits } from "./check-request.ts";
import { endEvent } from "./end-event.ts";
import { FairQueue } from "./fair-queue.ts";
import { GroupState, type Sequence } from "./group.ts";
import { BLOCK_TOKENS, blocksIn, KvBudget } from "./kv-budget.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { chunkGrain, embedPrompt } from "./prompt.ts";
import { Punctual } from "./punctual.ts";
import type { EngineErrorCode, EngineEvent, GenerateRequest } from "./request.ts";
import type { LogitsProcessor } from "./sampling/sampler.ts";
import type { EngineSettings } from "./settings.ts";
import { Slice } from "./slice.ts";
import { EngineStats } from "./stats.ts";

export interface EngineOptions {
  readonly backbone: Backbone;
  readonly settings: EngineSettings;
  readonly emit: (event: EngineEvent) => void;
  /** Milliseconds; any epoch, the same as that of deadlines. */
  readonly now?: () => number;
  /** For requests that bring no seed. */
  readonly randomSeed?: () => number;
}

/**
 * Continuous batching over one backbone: each step admits what fits, spends a slice of time on prompts, and decodes one
 * token of every running sequence; sequences join and leave between steps. Knows nothing of text, HTTP or releases.
 */
export class Engine {
  readonly stats = new EngineStats();
  readonly budget: KvBudget;
  readonly prefixes: PrefixCache;
  /** Tokens that the cache has for each of 1, 2, ... answers to one prompt while nothing else is in it, the prompt's among them. */
  readonly longest: readonly number[];
  readonly #room: CacheRoom;
  readonly #backbone: Backbone;
  readonly #settings: EngineSettings;
  readonly #emit: (event: EngineEvent) => void;
  readonly #now: () => number;
  readonly #randomSeed: () => number;
  readonly #queue = new FairQueue();
  readonly #groups = new Map<string, GroupState>();
  readonly #slice: Slice;
  readonly #punctual = new Punctual<Sequence>();
  #running: Sequence[] = [];
  #arrivals = 0;
  #stepping = false;
  readonly #cancelled = new Set<string>();

  constructor(options: EngineOptions) {
    const { backbone, settings } = options;
    this.#backbone = backbone;
    this.#settings = settings;
    this.#emit = options.emit;
    this.#now = options.now ?? Date.now;
    this.#randomSeed = options.randomSeed ?? (() => Math.floor(Math.random() * 2 ** 32));
    this.budget = new KvBudget(blocksIn(settings.kvBytes, backbone.spec));
    const grain = chunkGrain(backbone.spec);
    this.prefixes = new PrefixCache(this.budget, grain);
    this.#room = new CacheRoom(backbone, this.budget, this.prefixes);
    this.longest = Array.from({ length: settings.maxSequences }, (_, i) =>
      longestOf(backbone, this.budget, i + 1, backbone.spec.maxPositions),
    );
    this.#slice = new Slice(settings, { whole: readsWhole(backbone.spec), grain });
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get running(): number {
    return this.#running.length;
  }

  get idle(): boolean {
    return this.#groups.size === 0;
  }

  /**
   * Queues a request; it begins at the next step. The caller has checked it with `checkRequest`.
   * @param processors one per choice where the answer follows a grammar
   */
  submit(request: GenerateRequest, processors: readonly LogitsProcessor[] = []): void {
    const { spec } = this.#backbone;
    const longest = this.longest[request.sampling.n - 1] ?? 0;
    const group = new GroupState({
      request,
      arrival: this.#arrivals++,
      now: this.#now(),
      spec,
      longest,
      reusePrefix: this.#settings.prefixCache && !readsWhole(spec),
      fallbackSeed: this.#randomSeed(),
      processors,
    });
    this.#groups.set(request.id, group);
    this.#queue.push(group);
    const never = neverFits(request, spec, longest);
    if (never !== null) this.#fail(group, "invalid_request", never);
  }

  /** Ends a request without an answer. What it holds is free before the next step begins. */
  cancel(id: string): void {
    this.#cancelled.add(id);
    if (!this.#stepping) this.#sweep();
  }

  /** One step. Must not be called again before it is done. */
  async step(): Promise<void> {
    this.#stepping = true;
    try {
      this.#sweep();
      this.#expire();
      this.#admit();
      await this.#prefill();
      this.#sweep();
      await this.#decode();
    } finally {
      this.#stepping = false;
      this.#sweep();
    }
  }

  #sweep(): void {
    for (const id of this.#cancelled) {
      const group = this.#groups.get(id);
      if (group !== undefined) this.#remove(group, "cancelled");
    }
    this.#cancelled.clear();
  }

  #expire(): void {
    const now = this.#now();
    for (const group of this.#groups.values()) {
      const { deadline } = group.request;
      if (deadline !== null && now >= deadline) this.#fail(group, "origin_timeout", "The request took too long.");
    }
  }

  #admit(): void {
    for (;;) {
      const group = this.#queue.peek();
      if (group === undefined) return;
      const { n } = group.request.sampling;
      if (this.#running.length + n > this.#settings.maxSequences) return;
      // No smaller request overtakes one that does not fit: it would wait for ever.
      if (!this.#room.take(group.sequences, group.firstTokens)) return;
      this.#queue.remove(group);
      group.admittedAt = this.#now();
      this.#running.push(...group.sequences);
      const [first] = group.sequences;
      if (first !== undefined) this.#guard(group, () => this.#begin(first));
    }
  }

  #begin(first: Sequence): void {
    const { group } = first;
    const { tokenIds } = group.request;
    first.phase = "prefill";
    first.kv = this.#open(first, tokenIds.length);
    if (group.hashes.length > 0) {
      group.cachedTokens = this.prefixes.restore(this.#backbone, first.kv, group.hashes, tokenIds.length);
    }
  }

  /** A cache that begins with room for some answer. */
  #open(sequence: Sequence, held: number): KvSequence {
    const expected = Math.min(held + BLOCK_TOKENS, this.#room.of(sequence));
    return this.#backbone.open(expected, sequence.group.positions);
  }

  /** Chunks of prompts, in fair order, until the step's slice is used up. */
  async #prefill(): Promise<void> {
    const reading = (): Sequence[] => this.#running.filter(({ phase }) => phase === "prefill");
    this.#slice.begin(
      this.#running.some(({ phase }) => phase === "decode"),
      reading().length,
    );
    for (;;) {
      const [first] = reading().toSorted((a, b) => this.#queue.compare(a.group, b.group));
      if (first === undefined) return;
      const tokens = this.#slice.tokens(first.group.request.tokenIds.length - (first.kv?.held ?? 0));
      if (tokens === 0) return;
      await this.#prefillChunk(first, tokens);
      this.#sweep();
    }
  }

  async #prefillChunk(sequence: Sequence, tokens: number): Promise<void> {
    const { group, kv } = sequence;
    const { request } = group;
    if (kv === null) return;
    const from = kv.held;
    const to = from + tokens;
    const started = performance.now();
    try {
      const embeds = await embedPrompt(this.#backbone, request, from, to);
      const logits = await this.#backbone.prefill(kv, embeds);
      this.#queue.charge(request.salt, { prompt: to - from });
      this.stats.prompt(to - from, performance.now() - started);
      if (to < request.tokenIds.length) return;
      for (const one of group.sequences) await one.prepare();
      this.#prefilled(group, logits);
    } catch (error) {
      this.#broken(group, error);
    } finally {
      this.#slice.spent(to - from, performance.now() - started);
    }
  }

  /** The prompt is cached: keep its blocks, give the other choices a copy, and choose everybody's first token. */
  #prefilled(group: GroupState, logits: Float32Array): void {
    if (this.#cancelled.has(group.request.id)) return;
    const [first, ...others] = group.sequences;
    const kv = first?.kv;
    if (first === undefined || kv === null || kv === undefined) return;
    group.prefilledAt = this.#now();
    if (group.hashes.length > 0) this.prefixes.keep(this.#backbone, kv, group.hashes, kv.held);
    if (others.length > 0) {
      const block = this.#backbone.readBlock(kv, 0, kv.held);
      for (const other of others) {
        other.kv = this.#open(other, kv.held);
        this.#backbone.appendBlocks(other.kv, [block], kv.held);
      }
    }
    for (const sequence of group.sequences) {
      sequence.phase = "decode";
      this.#advance(sequence, group.sequences.length === 1 ? logits : logits.slice());
    }
    this.stats.firstToken(this.#now() - group.submittedAt);
  }

  async #decode(): Promise<void> {
    const started = performance.now();
    const sequences = await this.#punctual.of(this.#running, ({ group }, error) => this.#broken(group, error));
    if (sequences.length === 0) return;
    const { hiddenSize } = this.#backbone.spec;
    const embeds = await this.#backbone.embed(Int32Array.from(sequences, ({ lastId }) => lastId));
    const rows = new Map<DecodeRow, Sequence>();
    sequences.forEach((sequence, index) => {
      if (sequence.kv === null) return;
      const row = embeds.subarray(index * hiddenSize, (index + 1) * hiddenSize);
      rows.set({ kv: sequence.kv, embeds: row }, sequence);
    });
    for (const group of this.#backbone.groups([...rows.keys()])) await this.#decodeGroup(group, rows);
    this.stats.step(sequences.length, performance.now() - started);
  }

  /** One call. When it fails, its rows run alone, so that only those end that are at fault. */
  async #decodeGroup(group: readonly DecodeRow[], rows: ReadonlyMap<DecodeRow, Sequence>): Promise<void> {
    try {
      const logits = await this.#backbone.decode(group);
      group.forEach((row, index) => {
        const sequence = rows.get(row);
        const own = logits[index];
        if (sequence === undefined || own === undefined || this.#cancelled.has(sequence.group.request.id)) return;
        sequence.steps++;
        this.#guard(sequence.group, () => this.#advance(sequence, own));
      });
    } catch (error) {
      if (group.length > 1) {
        for (const row of group) await this.#decodeGroup([row], rows);
        return;
      }
      const [row] = group;
      const sequence = row === undefined ? undefined : rows.get(row);
      if (sequence !== undefined) this.#broken(sequence.group, error);
    }
  }

  /** Chooses a token from logits, reports it, and ends the sequence where it is over. */
  #advance(sequence: Sequence, logits: Float32Array): void {
    if (sequence.phase !== "decode") return;
    const { group, choice } = sequence;
    const { id, salt } = group.request;
    const token = sequence.sample(logits);
    this.#queue.charge(salt, { answer: 1 });
    const reason = sequence.finishReason() ?? (this.#holdsNext(sequence) ? null : "length");
    if (reason !== "stop") {
      const logprobs = token.logprobs === null ? null : [token.logprobs];
      this.#emit({ type: "tokens", id, choice, ids: [token.id], logprobs });
    }
    if (reason === null) return;
    this.#release(sequence);
    this.#emit({ type: "finish", id, choice, reason, stopTokenId: reason === "stop" ? token.id : null });
    if (group.done) this.#end(group);
  }

  /**
   * Whether the cache has room for the token that was just chosen. Always so where `max_tokens` was named; others take one more
   * block where one is free or a prefix can give way.
   */
  #holdsNext(sequence: Sequence): boolean {
    const tokens = (sequence.kv?.held ?? 0) + 1;
    return tokens <= this.#room.of(sequence) || (sequence.group.openEnded && this.#room.take([sequence], tokens));
  }

  #end(group: GroupState): void {
    const end = endEvent(group, this.#now());
    this.#remove(group, "finished");
    this.#emit(end);
  }

  #guard(group: GroupState, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#broken(group, error);
    }
  }

  /** Something threw: the request at fault ends, with a message that says nothing of the inside. */
  #broken(group: GroupState, error: unknown): void {
    this.stats.lastFailure = error instanceof Error ? error.message : String(error);
    this.#fail(group, "origin_failed", "The model failed on this request.");
  }

  #fail(group: GroupState, code: EngineErrorCode, message: string): void {
    if (this.#remove(group, "failed")) this.#emit({ type: "error", id: group.request.id, code, message });
  }

  /** Frees all that a request holds. False when that was done before. */
  #remove(group: GroupState, outcome: "finished" | "failed" | "cancelled"): boolean {
    if (this.#groups.get(group.request.id) !== group) return false;
    this.#groups.delete(group.request.id);
    this.#queue.remove(group);
    for (const sequence of group.sequences) this.#release(sequence);
    this.#queue.leave(group.request.salt);
    this.stats.ended(outcome);
    return true;
  }

  #release(sequence: Sequence): void {
    if (sequence.phase === "done") return;
    sequence.phase = "done";
    this.#running = this.#running.filter((one) => one !== sequence);
    const { kv } = sequence;
    sequence.kv = null;
    if (kv !== null) this.#backbone.close(kv);
    this.#room.give(sequence);
    sequence.dispose();
  }
}
