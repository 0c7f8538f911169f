import { MAX_MANIFEST_BYTES } from "../limits/limits.ts";
import { MAX_RELEASE_FILES } from "../limits/releases.ts";
import { canonicalBytes, canonicalJson } from "./canonical-json.ts";
import { sha256Hex, type Sha256 } from "./digest.ts";
import { ReleaseError } from "./error.ts";
import { RELEASE_DOCUMENT, SIGNATURE_DOCUMENT } from "./keys.ts";
import { releaseSchema, type Release, type Stage, type StageName } from "./schema.ts";
import { isRuntimeAtLeast, RUNTIME_VERSION } from "./runtime.ts";

export type { PromptReading, Release, ReleaseFile, Shard, Stage, StageName, StageTensor } from "./schema.ts";

/** A release as others name it: `model@version`, and the digest that decides. */
export interface ReleaseRef {
  readonly version: string;
  readonly digest: Sha256;
}

/**
 * Parses the bytes of a manifest. They must be the canonical form, byte for byte: that refuses duplicate members, which
 * two parsers may read differently, and makes the sha256 of the bytes the digest of the release.
 * Throws ReleaseError (`manifest_too_large`, `manifest_invalid`, `runtime_too_old`).
 */
export function parseRelease(bytes: Uint8Array): Release {
  if (bytes.byteLength > MAX_MANIFEST_BYTES) {
    throw new ReleaseError(
      "manifest_too_large",
      `the manifest has ${bytes.byteLength} bytes, ${MAX_MANIFEST_BYTES} at most`,
    );
  }
  const text = decodeUtf8(bytes);
  const json = parseJson(text);
  const runtime = minimumRuntimeOf(json);
  if (runtime !== null && !isRuntimeAtLeast(RUNTIME_VERSION, runtime)) {
    throw new ReleaseError("runtime_too_old", `the release asks for runtime ${runtime}, this is ${RUNTIME_VERSION}`);
  }
  return checkRelease(json, text);
}

/** The same checks for a manifest that is about to be written, and its canonical bytes. */
export function serializeRelease(release: Release): Uint8Array<ArrayBuffer> {
  const bytes = canonicalBytes(release);
  parseRelease(bytes);
  return bytes;
}

/** The release's identity: sha256 over the canonical manifest. */
export async function releaseDigest(release: Release): Promise<Sha256> {
  return sha256Hex(canonicalBytes(release));
}

/** A stage that the release must have. Throws ReleaseError `manifest_invalid`. */
export function requireStage(release: Release, name: StageName): Stage {
  const stage = release.stages[name];
  if (stage === undefined) throw new ReleaseError("manifest_invalid", `${release.name} has no stage ${name}`);
  return stage;
}

function checkRelease(json: unknown, text: string): Release {
  const parsed = releaseSchema.safeParse(json);
  if (!parsed.success) throw invalid(parsed.error.issues[0]);
  const release = parsed.data;
  if (canonicalJson(release) !== text) {
    throw new ReleaseError("manifest_invalid", "the manifest is not in canonical form (RFC 8785)");
  }
  checkNames(Object.keys(release.files));
  checkShards(release);
  for (const [name, stage] of Object.entries(release.stages)) {
    const missing = stage.files.find((file) => release.files[file] === undefined);
    if (missing !== undefined)
      throw new ReleaseError("manifest_invalid", `stage ${name} names ${missing}, which is no file`);
  }
  return release;
}

/** A case-blind file system, or one file where another wants a folder, would let one file stand in for another. */
function checkNames(names: readonly string[]): void {
  if (names.length > MAX_RELEASE_FILES)
    throw new ReleaseError("manifest_invalid", `more than ${MAX_RELEASE_FILES} files`);
  const reserved = names.find((name) => name === RELEASE_DOCUMENT || name === SIGNATURE_DOCUMENT);
  if (reserved !== undefined) throw new ReleaseError("manifest_invalid", `no file may be called ${reserved}`);
  const folded = new Set(names.map((name) => name.toLowerCase()));
  if (folded.size !== names.length) throw new ReleaseError("manifest_invalid", "two file names differ in case only");
  for (const name of folded) {
    for (let slash = name.indexOf("/"); slash !== -1; slash = name.indexOf("/", slash + 1)) {
      if (folded.has(name.slice(0, slash))) throw new ReleaseError("manifest_invalid", `${name} lies below a file`);
    }
  }
}

/** Lengths must add up before anything is allocated by them, and one digest has one length. */
function checkShards(release: Release): void {
  const sizes = new Map<Sha256, number>();
  for (const [name, file] of Object.entries(release.files)) {
    let total = 0;
    for (const shard of file.shards) {
      total += shard.size;
      if ((sizes.get(shard.sha256) ?? shard.size) !== shard.size) {
        throw new ReleaseError("manifest_invalid", `${name} gives one digest two lengths`);
      }
      sizes.set(shard.sha256, shard.size);
    }
    if (total !== file.size)
      throw new ReleaseError("manifest_invalid", `the shards of ${name} do not add up to its size`);
    if (file.shards.length === 1 && file.shards[0]?.sha256 !== file.sha256) {
      throw new ReleaseError("manifest_invalid", `${name} has one shard with another digest than its own`);
    }
  }
}

function minimumRuntimeOf(json: unknown): string | null {
  if (typeof json !== "object" || json === null || !("minimumRuntime" in json)) return null;
  return typeof json.minimumRuntime === "string" ? json.minimumRuntime : null;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ReleaseError("manifest_invalid", "the manifest is not UTF-8", { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ReleaseError("manifest_invalid", "the manifest is not JSON", { cause });
  }
}

function invalid(issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined): ReleaseError {
  const path = (issue?.path ?? []).map((part) => String(part).slice(0, 80)).join(".");
  return new ReleaseError("manifest_invalid", `${path === "" ? "manifest" : path}: ${issue?.message ?? "invalid"}`);
}
