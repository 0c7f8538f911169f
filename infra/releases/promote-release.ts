import { createHash } from "node:crypto";
import { CHANNEL_HISTORY, CHANNEL_LIFETIME_DAYS, MAX_CHANNEL_BYTES } from "../../shared/limits/releases.ts";
import { openChannel, sealChannel, type ChannelDocument } from "../../shared/releases/channel.ts";
import type { Trust } from "../../shared/releases/dsse.ts";
import type { SigningKey } from "../../shared/releases/ecdsa.ts";
import { channelKey, manifestKey } from "../../shared/releases/keys.ts";
import { parseRelease, type ReleaseRef } from "../../shared/releases/release.ts";
import { StoreError, type ObjectStore } from "../store/object-store.ts";

export interface PromoteOptions {
  readonly model: string;
  readonly version: string;
  readonly channel: string;
  readonly store: ObjectStore;
  /** Percent of the callers that get the release beside the stable one; absent makes it the stable one. */
  readonly canary?: number;
  /** Signs the channel document; null only for the local stage. */
  readonly key: SigningKey | null;
  /** What to accept the present document by, so that a forged one is not built upon. */
  readonly trust: Trust;
  readonly now?: () => Date;
}

export class PromoteError extends Error {
  override readonly name = "PromoteError";
}

/**
 * Points a channel at a published release. One conditional write: it takes effect whole or not at all, and of two that
 * race one fails. Throws PromoteError with what to do.
 */
export async function promoteRelease(options: PromoteOptions): Promise<ChannelDocument> {
  const release = await findRelease(options.store, options.model, options.version);
  return changeChannel(options, (current) => {
    if (options.canary === undefined) return becomeStable(current, release);
    if (current === null)
      throw new PromoteError(`nothing is stable on ${options.channel} yet, so there is nothing to canary beside`);
    if (current.stable.digest === release.digest)
      throw new PromoteError(`${options.version} is the stable release already`);
    return { stable: current.stable, canary: { release, percent: options.canary }, history: current.history };
  });
}

type Pointers = Pick<ChannelDocument, "stable" | "canary" | "history">;

export async function changeChannel(
  options: Omit<PromoteOptions, "version" | "canary">,
  change: (current: ChannelDocument | null) => Pointers,
): Promise<ChannelDocument> {
  const { store, model, channel, trust, key } = options;
  const objectKey = channelKey(model, channel);
  const head = await store.head(objectKey);
  const current = head === null ? null : await readChannel(store, model, channel, trust);
  const now = options.now?.() ?? new Date();
  const document: ChannelDocument = {
    schema: "fovea.channel/1",
    model,
    channel,
    sequence: (current?.sequence ?? 0) + 1,
    issuedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + CHANNEL_LIFETIME_DAYS * 86_400_000).toISOString(),
    ...change(current),
  };
  const bytes = await sealChannel(document, key);
  try {
    await store.put(objectKey, bytes, head === null ? { ifNoneMatch: "*" } : { ifMatch: head.etag });
  } catch (thrown) {
    if (!(thrown instanceof StoreError) || thrown.fault !== "precondition_failed") throw thrown;
    throw new PromoteError(
      `someone else changed ${channel} of ${model} just now; look with \`fovea list\` and try again`,
      {
        cause: thrown,
      },
    );
  }
  return document;
}

export async function readChannel(
  store: ObjectStore,
  model: string,
  channel: string,
  trust: Trust,
): Promise<ChannelDocument | null> {
  const key = channelKey(model, channel);
  // One byte more than allowed tells a document that is too large from one that fits.
  const bytes = await store.get(key, { range: { offset: 0, length: MAX_CHANNEL_BYTES + 1 } });
  return bytes === null ? null : openChannel(bytes, { model, channel }, trust);
}

/** The reference of a published release. Throws PromoteError when it is not there. */
export async function findRelease(store: ObjectStore, model: string, version: string): Promise<ReleaseRef> {
  const bytes = await store.get(manifestKey(model, version));
  if (bytes === null) throw new PromoteError(`${model}@${version} is not published in ${store.url}`);
  parseRelease(bytes);
  return { version, digest: createHash("sha256").update(bytes).digest("hex") };
}

export function becomeStable(current: ChannelDocument | null, release: ReleaseRef): Pointers {
  if (current === null) return { stable: release, canary: null, history: [] };
  const history = [current.stable, ...current.history].filter(({ digest }) => digest !== release.digest);
  return { stable: release, canary: null, history: history.slice(0, CHANNEL_HISTORY) };
}
