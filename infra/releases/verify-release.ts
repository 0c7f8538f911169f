import { createHash } from "node:crypto";
import { mkdir, open, writeFile, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MAX_SHARD_BYTES } from "../../shared/limits/limits.ts";
import type { Trust } from "../../shared/releases/dsse.ts";
import { describeFault } from "../../shared/releases/error.ts";
import { blobKey, RELEASE_DOCUMENT, SIGNATURE_DOCUMENT, signatureKey } from "../../shared/releases/keys.ts";
import { verifyReleaseSignature } from "../../shared/releases/model-signing.ts";
import type { ReleaseFile, Shard } from "../../shared/releases/release.ts";
import { StoreError, type ObjectStore } from "../store/object-store.ts";
import { readRelease } from "./read-release.ts";

/** Shards read ahead of the hash: 8 x 8 MiB are in memory. */
const READ_AHEAD = 8;

export interface VerifyOptions {
  readonly store: ObjectStore;
  readonly model: string;
  readonly version: string;
  readonly trust: Trust;
  /** Also writes the files, the manifest and the signature into this folder, as the reference tool verifies them. */
  readonly output?: string;
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
  readonly signal?: AbortSignal;
}

export interface VerifyResult {
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  /** Empty when all is well. `file` is the file's name, or that of the signature. */
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

/** Reads a whole release back: the signature, each shard by its digest, each file by its own. Goes on after a problem. */
export async function verifyRelease(options: VerifyOptions): Promise<VerifyResult> {
  const { store, model, version, trust, output } = options;
  const { release, digest, manifest } = await readRelease(store, model, version);
  const problems: { file: string; problem: string }[] = [];
  const signature = await store.get(signatureKey(model, version));
  if (trust !== "unsigned") {
    if (signature === null) problems.push({ file: SIGNATURE_DOCUMENT, problem: "the release is not signed" });
    else {
      await verifyReleaseSignature(signature, release, digest, trust).catch((thrown: unknown) => {
        problems.push({ file: SIGNATURE_DOCUMENT, problem: describeFault(thrown).detail });
      });
    }
  }
  const files = Object.entries(release.files);
  const totalBytes = files.reduce((sum, [, file]) => sum + file.size, 0);
  let doneBytes = 0;
  for (const [name, file] of files) {
    const problem = await verifyFile(store, name, file, output, (bytes) => {
      options.signal?.throwIfAborted();
      doneBytes += bytes;
      options.onProgress?.({ doneBytes, totalBytes });
    });
    if (problem !== null) problems.push({ file: name, problem });
  }
  if (output !== undefined) {
    await writeFile(join(output, RELEASE_DOCUMENT), manifest);
    if (signature !== null) await writeFile(join(output, SIGNATURE_DOCUMENT), signature);
  }
  return { digest, files: files.length, bytes: totalBytes, problems };
}

async function verifyFile(
  store: ObjectStore,
  name: string,
  file: ReleaseFile,
  output: string | undefined,
  onBytes: (bytes: number) => void,
): Promise<string | null> {
  const target = output === undefined ? null : await create(join(output, ...name.split("/")));
  const whole = createHash("sha256");
  const ahead: Promise<Uint8Array | null>[] = [];
  // One buffer per read in flight; a shard is written over when the one eight places before it has been hashed.
  const buffers: Uint8Array[] = [];
  const ask = (index: number) => {
    const shard = file.shards[index];
    if (shard === undefined) return;
    const buffer = (buffers[index % READ_AHEAD] ??= new Uint8Array(MAX_SHARD_BYTES));
    ahead.push(readShard(store, shard, buffer));
  };
  for (let i = 0; i < READ_AHEAD; i += 1) ask(i);
  try {
    for (const [index, shard] of file.shards.entries()) {
      const bytes = await ahead.shift();
      if (bytes === null || bytes === undefined) return `shard ${shard.sha256} is missing`;
      if (bytes.length !== shard.size) return `shard ${shard.sha256} has ${bytes.length} bytes, not ${shard.size}`;
      if (createHash("sha256").update(bytes).digest("hex") !== shard.sha256)
        return `shard ${shard.sha256} holds other bytes`;
      whole.update(bytes);
      await target?.writeFile(bytes);
      onBytes(bytes.length);
      ask(index + READ_AHEAD);
    }
  } catch (thrown) {
    if (thrown instanceof StoreError && thrown.fault === "refused") return thrown.message;
    throw thrown;
  } finally {
    await Promise.allSettled(ahead);
    await target?.close();
  }
  return whole.digest("hex") === file.sha256 ? null : "the file's own sha256 does not fit its shards";
}

async function readShard(store: ObjectStore, shard: Shard, buffer: Uint8Array): Promise<Uint8Array | null> {
  return store.get(blobKey(shard.sha256), { into: buffer });
}

async function create(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, "wx");
}
