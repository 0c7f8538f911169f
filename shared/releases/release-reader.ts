import { MAX_MANIFEST_BYTES } from "../limits/limits.ts";
import { MAX_EDGE_FILE_BYTES, MAX_SIGNATURE_BYTES } from "../limits/releases.ts";
import type { Trust } from "./dsse.ts";
import { sha256Hex } from "./digest.ts";
import { ReleaseError } from "./error.ts";
import { manifestKey, signatureKey } from "./keys.ts";
import { verifyReleaseSignature } from "./model-signing.ts";
import {
  parseRelease,
  requireStage,
  type Release,
  type ReleaseFile,
  type ReleaseRef,
  type Stage,
  type StageName,
} from "./release.ts";
import type { ShardReader } from "./shard-reader.ts";

/** A release that is open for reading: the parsed manifest, its digest, and its files, each verified before it is given. */
export interface ReleaseReader {
  readonly release: Release;
  readonly digest: string;
  /** A whole file; every call reads anew, so keep what is needed again. Throws ReleaseError. */
  bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A whole file into a place that has exactly its size, such as a wasm memory. Throws ReleaseError. */
  fill(name: string, place: Uint8Array<ArrayBuffer>): Promise<void>;
  text(name: string): Promise<string>;
  /** A JSON file as `unknown`: parse it with a schema. */
  json(name: string): Promise<unknown>;
  has(name: string): boolean;
  stage(name: StageName): Stage;
}

/**
 * Opens `model@ref.version`. The manifest must have exactly the digest that `ref` names, so whoever may write to the bucket
 * cannot swap it; where the digest comes from (a signed channel document, a Worker that checked one) is the caller's to
 * know. Throws ReleaseError.
 */
export async function openRelease(shards: ShardReader, model: string, ref: ReleaseRef): Promise<ReleaseReader> {
  const key = manifestKey(model, ref.version);
  const faults = { missing: "manifest_missing", tooLarge: "manifest_too_large" } as const;
  const release = await shards.small(key, MAX_MANIFEST_BYTES, faults, async (bytes) => {
    const digest = await sha256Hex(bytes);
    if (digest !== ref.digest) {
      throw new ReleaseError("manifest_digest_mismatch", `${key} is ${digest}, not ${ref.digest}`);
    }
    return parseRelease(bytes);
  });
  if (release.name !== model || release.version !== ref.version) {
    throw new ReleaseError("manifest_invalid", `${key} is the manifest of ${release.name}@${release.version}`);
  }
  return new VerifiedRelease(release, ref.digest, shards);
}

/** Opens a release and checks that a trusted key signed it, file by file (`model.sig`). Throws ReleaseError. */
export async function openSignedRelease(
  shards: ShardReader,
  model: string,
  ref: ReleaseRef,
  trust: Trust,
): Promise<ReleaseReader> {
  const reader = await openRelease(shards, model, ref);
  if (trust === "unsigned") return reader;
  const faults = { missing: "signature_missing", tooLarge: "signature_too_large" } as const;
  await shards.small(signatureKey(model, ref.version), MAX_SIGNATURE_BYTES, faults, (bytes) =>
    verifyReleaseSignature(bytes, reader.release, ref.digest, trust),
  );
  return reader;
}

class VerifiedRelease implements ReleaseReader {
  readonly release: Release;
  readonly digest: string;
  readonly #shards: ShardReader;

  constructor(release: Release, digest: string, shards: ShardReader) {
    this.release = release;
    this.digest = digest;
    this.#shards = shards;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.release.files, name);
  }

  stage(name: StageName): Stage {
    return requireStage(this.release, name);
  }

  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#shards.file(this.#file(name));
  }

  async fill(name: string, place: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#shards.file(this.#file(name), place);
  }

  #file(name: string): ReleaseFile {
    const file = this.has(name) ? this.release.files[name] : undefined;
    if (file === undefined) throw new ReleaseError("file_missing", `${this.release.name} has no file ${name}`);
    if (file.size > MAX_EDGE_FILE_BYTES) throw new ReleaseError("file_too_large", `${name} has ${file.size} bytes`);
    return file;
  }

  async text(name: string): Promise<string> {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await this.bytes(name));
  }

  async json(name: string): Promise<unknown> {
    return JSON.parse(await this.text(name)) as unknown;
  }
}
