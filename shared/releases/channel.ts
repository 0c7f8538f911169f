import * as z from "zod";
import { CHANNEL_HISTORY, MAX_CHANNEL_BYTES } from "../limits/releases.ts";
import { canonicalBytes, canonicalJson, type JsonValue } from "./canonical-json.ts";
import { open, parseEnvelope, seal, type Trust } from "./dsse.ts";
import type { SigningKey } from "./ecdsa.ts";
import { ReleaseError } from "./error.ts";
import { CHANNEL_NAME } from "./keys.ts";
import type { ReleaseRef } from "./release.ts";
import { modelNameSchema, releaseVersionSchema, sha256Schema } from "./schema.ts";

export const CHANNEL_PAYLOAD_TYPE = "application/vnd.fovea.channel+json";

const refSchema = z.strictObject({ version: releaseVersionSchema, digest: sha256Schema }).readonly();

const channelSchema = z
  .strictObject({
    schema: z.literal("fovea.channel/1"),
    model: modelNameSchema,
    channel: z.string().regex(CHANNEL_NAME),
    /** Rises by one with every change; a reader that saw a higher one refuses a lower one. */
    sequence: z.int().min(1),
    issuedAt: z.iso.datetime(),
    /** After this no change is accepted: a mirror that is frozen at an old document shows. */
    expiresAt: z.iso.datetime(),
    stable: refSchema,
    /** A second release for `percent` of the callers. */
    canary: z
      .strictObject({ release: refSchema, percent: z.int().min(1).max(99) })
      .readonly()
      .nullable(),
    /**
     * The release that was withdrawn last, a canary or by a rollback: no one is sent to it, but edges that have not noticed yet
     * may still name it. There is one: of two canaries replaced within CHANNEL_REFRESH_MS, frames of the first are refused.
     */
    retired: refSchema.nullable(),
    /** Earlier stable releases, newest first: what `rollback` returns to. */
    history: z.array(refSchema).max(CHANNEL_HISTORY).readonly(),
  })
  .readonly();

/** Which release(s) of a model a channel serves. */
export type ChannelDocument = z.infer<typeof channelSchema>;

/** The bytes to store: a DSSE envelope around the canonical document, so that document and signature change as one. */
export async function sealChannel(document: ChannelDocument, key: SigningKey | null): Promise<Uint8Array<ArrayBuffer>> {
  const payload = canonicalBytes(channelSchema.parse(document));
  return canonicalBytes((await seal(CHANNEL_PAYLOAD_TYPE, payload, key)) as JsonValue);
}

/**
 * Opens a stored channel document: size, envelope, signature, schema, and that it is for this model and channel (a signed
 * document copied to another key is refused). Age and sequence are for `acceptChannel`, which knows what was seen before.
 */
export async function openChannel(
  bytes: Uint8Array,
  expected: { readonly model: string; readonly channel: string },
  trust: Trust,
): Promise<ChannelDocument> {
  if (bytes.byteLength > MAX_CHANNEL_BYTES) {
    throw new ReleaseError("channel_too_large", `the channel document has ${bytes.byteLength} bytes`);
  }
  const payload = await open(parseEnvelope(parseJson(bytes)), CHANNEL_PAYLOAD_TYPE, trust);
  const parsed = channelSchema.safeParse(parseJson(payload));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ReleaseError("channel_invalid", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
  }
  const document = parsed.data;
  if (document.model !== expected.model || document.channel !== expected.channel) {
    throw new ReleaseError(
      "channel_invalid",
      `a document for ${document.model} on ${document.channel} lies in its place`,
    );
  }
  return document;
}

/**
 * Whether a document may replace what is served. Throws ReleaseError: `channel_older` when its sequence is below the floor
 * (a replayed document), `channel_expired` when its time is over (a frozen one). The same sequence with other content means
 * that two documents were signed under one number; the first seen stays.
 */
export function acceptChannel(
  document: ChannelDocument,
  state: { readonly now: number; readonly floor: number; readonly current: ChannelDocument | null },
): void {
  const floor = Math.max(state.floor, state.current?.sequence ?? 0);
  if (document.sequence < floor) {
    throw new ReleaseError("channel_older", `sequence ${document.sequence} is below ${floor}, which was seen before`);
  }
  if (
    state.current !== null &&
    state.current.sequence === document.sequence &&
    canonicalJson(state.current) !== canonicalJson(document)
  ) {
    throw new ReleaseError("channel_invalid", `two documents carry sequence ${document.sequence}`);
  }
  if (Date.parse(document.expiresAt) <= state.now) {
    throw new ReleaseError("channel_expired", `the document expired at ${document.expiresAt}`);
  }
}

/** Every release that a frame may name while edges and origins follow the channel at their own pace. */
export function releasesOf(document: ChannelDocument): readonly ReleaseRef[] {
  const canary = document.canary === null ? [] : [document.canary.release];
  const retired = document.retired === null ? [] : [document.retired];
  return [document.stable, ...canary, ...retired, ...document.history];
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new ReleaseError("channel_invalid", "the channel document is not JSON", { cause });
  }
}
