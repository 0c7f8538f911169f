import { ReleaseError } from "./error.ts";
import type { Sha256 } from "./digest.ts";

/** Every key in the bucket; design/storage.md names writer, reader and lifetime of each. */
export const BLOBS_PREFIX = "blobs/sha256/";
export const RELEASES_PREFIX = "releases/";
export const CHANNELS_PREFIX = "channels/";

/** The manifest's name where a release lies in a folder, and in its signature; no file of a release may take it. */
export const RELEASE_DOCUMENT = "release.json";
/** The signature's name there. */
export const SIGNATURE_DOCUMENT = "model.sig";

/** `moji-vlm-9m`, `Qwen3-0.6B`: one path segment that no file system or object store reads as anything else. */
export const MODEL_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;
export const RELEASE_VERSION = /^[0-9A-Za-z](?:[0-9A-Za-z._-]{0,46}[0-9A-Za-z])?$/;
export const CHANNEL_NAME = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export function blobKey(sha256: Sha256): string {
  return BLOBS_PREFIX + sha256;
}

export function manifestKey(model: string, version: string): string {
  return `${RELEASES_PREFIX}${segment(model, MODEL_NAME)}/${segment(version, RELEASE_VERSION)}/manifest.json`;
}

/** A Sigstore bundle, as OpenSSF Model Signing lays it out. */
export function signatureKey(model: string, version: string): string {
  return `${RELEASES_PREFIX}${segment(model, MODEL_NAME)}/${segment(version, RELEASE_VERSION)}/model.sig`;
}

/** Channel first, so that one listing gives every model of a channel. */
export function channelKey(model: string, channel: string): string {
  return `${channelPrefix(channel)}${segment(model, MODEL_NAME)}.json`;
}

export function channelPrefix(channel: string): string {
  return `${CHANNELS_PREFIX}${segment(channel, CHANNEL_NAME)}/`;
}

/** The model whose channel document lies at `key`, or null when the key is none of ours. */
export function modelOfChannelKey(key: string, channel: string): string | null {
  const prefix = channelPrefix(channel);
  if (!key.startsWith(prefix) || !key.endsWith(".json")) return null;
  const model = key.slice(prefix.length, -".json".length);
  return isModelName(model) ? model : null;
}

/** Names reach here from clients, so a name with `..` or a slash must never become a key. */
export function isModelName(name: string): boolean {
  return MODEL_NAME.test(name) && !name.includes("..");
}

function segment(text: string, pattern: RegExp): string {
  if (!pattern.test(text) || text.includes("..")) {
    throw new ReleaseError("manifest_invalid", `not a name that a key may hold: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return text;
}
