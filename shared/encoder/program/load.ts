import { MAX_SHARD_BYTES } from "../../limits/limits.ts";
import { ProgramError } from "./error.ts";
import { parseProgram } from "./program.ts";
import { Machine } from "./run.ts";

/** A piece of the weights file, as the release manifest names it. */
export interface WeightShard {
  readonly sha256: string;
  readonly size: number;
}

/** Hashes what it is given as it comes; workerd has one that needs no copy. */
export interface Hasher {
  update(chunk: Uint8Array): void | Promise<void>;
  hex(): Promise<string>;
}

export interface EncoderSource {
  /** The program file; its hash was checked by the caller. */
  readonly program: Uint8Array;
  readonly shards: readonly WeightShard[];
  /** The bytes of one shard as they arrive, from anywhere: they are not trusted. */
  readonly read: (index: number, signal?: AbortSignal) => AsyncIterable<Uint8Array>;
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
  source: EncoderSource,
  index: number,
  place: Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
): Promise<void> {
  const hasher = source.createHasher?.();
  let length = 0;
  for await (const chunk of source.read(index, signal)) {
    signal?.throwIfAborted();
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

/**
 * Loads an encoder. Every byte of the weights is copied once, from the stream into its final place in wasm memory; the machine
 * is handed out only after every shard's sha256 matched. Throws ProgramError, whatever `read` throws, or the signal's reason;
 * nothing of a failed load is kept.
 */
export async function loadEncoder(
  source: EncoderSource,
  module: WebAssembly.Module,
  signal?: AbortSignal,
): Promise<Machine> {
  const program = parseProgram(source.program);
  const sizes = source.shards.map(({ size }) => size);
  if (!sizes.every((size) => Number.isInteger(size) && size > 0 && size <= MAX_SHARD_BYTES))
    throw new ProgramError("A shard has no valid size.");
  if (sizes.reduce((sum, size) => sum + size, 0) !== program.weightsBytes)
    throw new ProgramError("The shards are not the weights that the program was made for.");
  const machine = new Machine(program, module);
  const weights = machine.weights();
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const failed = new AbortController();
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const pending = [...source.shards.keys()];
  const worker = async (): Promise<void> => {
    for (let index = pending.shift(); index !== undefined; index = pending.shift()) {
      const start = starts[index] ?? 0;
      await readShard(source, index, weights.subarray(start, start + (sizes[index] ?? 0)), either);
    }
  };
  const results = await Promise.allSettled(
    Array.from({ length: source.inFlight ?? IN_FLIGHT }, () =>
      worker().catch((thrown: unknown) => {
        pending.length = 0;
        failed.abort(thrown);
        throw thrown;
      }),
    ),
  );
  if (failed.signal.aborted) throw failed.signal.reason;
  const rejected = results.find((result) => result.status === "rejected");
  if (rejected !== undefined) throw rejected.reason;
  return machine;
}
