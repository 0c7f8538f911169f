import { MAX_SHARD_BYTES } from "../../limits/limits.ts";
import { ProgramError } from "./error.ts";
import { parseProgram } from "./program.ts";
import { Machine } from "./run.ts";

/**
 * Writes the weights into their final place and resolves only when the sha256 of every byte was checked; rejects otherwise.
 * `shardsInto` makes one from shards; a release reader that verifies as it reads is another.
 */
export type Fill = (weights: Uint8Array<ArrayBuffer>, signal?: AbortSignal) => Promise<void>;

/**
 * Loads an encoder: checks the program, takes the memory, has the weights filled in. `program`: bytes whose hash the caller
 * checked. The machine is handed out, and with it the means to run, only after `fill` has resolved. Throws ProgramError, what
 * `fill` throws, or the signal's reason; nothing of a failed load is kept.
 */
export async function loadEncoder(
  program: Uint8Array,
  module: WebAssembly.Module,
  fill: Fill,
  signal?: AbortSignal,
): Promise<Machine> {
  const machine = new Machine(parseProgram(program), module);
  await fill(machine.weights(), signal);
  signal?.throwIfAborted();
  return machine;
}

/** A piece of the weights file, as the release manifest names it. */
export interface WeightShard {
  readonly sha256: string;
  readonly size: number;
}

/** Hashes what it is given as it comes; workerd has one, `crypto.DigestStream`. */
export interface Hasher {
  update(chunk: Uint8Array): void | Promise<void>;
  hex(): Promise<string>;
}

export interface ShardSource {
  readonly shards: readonly WeightShard[];
  /** The bytes of one shard as they arrive, from anywhere: they are not trusted. */
  readonly read: (index: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Where the platform has an incremental sha256. Otherwise each shard is hashed in its final place once it is whole. */
  readonly createHasher?: () => Hasher;
  /** Shards read at once; they need no memory of their own. */
  readonly inFlight?: number;
}

const IN_FLIGHT = 4;

function hex(digest: ArrayBuffer): string {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function readShard(
  source: ShardSource,
  index: number,
  place: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  const hasher = source.createHasher?.();
  let length = 0;
  for await (const chunk of source.read(index, signal)) {
    signal.throwIfAborted();
    if (length + chunk.length > place.length) throw new ProgramError(`Shard ${index} has more bytes than its size.`);
    place.set(chunk, length);
    length += chunk.length;
    await hasher?.update(chunk);
  }
  if (length !== place.length) throw new ProgramError(`Shard ${index} has ${length} bytes, not ${place.length}.`);
  const found = hasher === undefined ? hex(await crypto.subtle.digest("SHA-256", place)) : await hasher.hex();
  if (found !== source.shards[index]?.sha256)
    throw new ProgramError(`Shard ${index} holds other bytes than its name says.`);
}

/** Copies every byte once, from its stream into its final place, a few shards at a time; the first failure ends all. */
export function shardsInto(source: ShardSource): Fill {
  return async (weights, signal) => {
    const sizes = source.shards.map(({ size }) => size);
    if (!sizes.every((size) => Number.isInteger(size) && size > 0 && size <= MAX_SHARD_BYTES))
      throw new ProgramError("A shard has no valid size.");
    if (sizes.reduce((sum, size) => sum + size, 0) !== weights.length)
      throw new ProgramError("The shards are not the weights that the program was made for.");
    const failed = new AbortController();
    const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
    const pending: { index: number; place: Uint8Array<ArrayBuffer> }[] = [];
    let start = 0;
    for (const [index, size] of sizes.entries()) {
      pending.push({ index, place: weights.subarray(start, start + size) });
      start += size;
    }
    const worker = async (): Promise<void> => {
      for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
        either.throwIfAborted();
        await readShard(source, next.index, next.place, either);
      }
    };
    const workers = Array.from({ length: source.inFlight ?? IN_FLIGHT }, () =>
      worker().catch((thrown: unknown) => {
        failed.abort(thrown);
        throw thrown;
      }),
    );
    // All are awaited even when one fails: none may still write into memory that was given up.
    await Promise.allSettled(workers);
    if (failed.signal.aborted) throw failed.signal.reason;
  };
}
