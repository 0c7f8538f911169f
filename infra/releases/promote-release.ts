import { CHANNEL_HISTORY, CHANNEL_LIFETIME_DAYS, MAX_CHANNEL_BYTES } from "../../shared/limits/releases.ts";
import { openChannel, sealChannel, type ChannelDocument } from "../../shared/releases/channel.ts";
import type { Trust } from "../../shared/releases/dsse.ts";
import type { SigningKey } from "../../shared/releases/ecdsa.ts";
import { channelKey, manifestKey, signatureKey } from "../../shared/releases/keys.ts";
import { verifyReleaseSignature } from "../../shared/releases/model-signing.ts";
import type { ReleaseRef } from "../../shared/releases/release.ts";
import { StoreError, type ObjectStore } from "../store/object-store.ts";
import { missingShards, readRelease } from "./read-release.ts";
import { renew, settle } from "./renew.ts";

export interface ChannelOptions {
  readonly model: string;
  readonly channel: string;
  readonly store: ObjectStore;
  /** Signs the channel document; null only for the local stage. */
  readonly key: SigningKey | null;
  /** What to accept the present document by, so that a forged one is not built upon. */
  readonly trust: Trust;
  readonly now?: () => Date;
}

export interface PromoteOptions extends ChannelOptions {
  readonly version: string;
  /** Percent of the callers that get the release beside the stable one; absent makes it the stable one. */
  readonly canary?: number;
  /** Waits for the deletes that a `gc` has begun; GC_SETTLE_MS unless told. */
  readonly settle?: () => Promise<void>;
}

export class PromoteError extends Error {
  override readonly name = "PromoteError";
}

/**
 * Points a channel at a published release. One conditional write: it takes effect whole or not at all, and of two that
 * race one fails. Throws PromoteError with what to do.
 */
export async function promoteRelease(options: PromoteOptions): Promise<ChannelDocument> {
  const { store, model, version, trust } = options;
  // No channel names it yet, so a `gc` may be about to take it.
  if (await renew(store, manifestKey(model, version))) await (options.settle ?? settle)();
  const release = await findWholeRelease(store, model, version, trust);
  return changeChannel(options, (current) => {
    if (options.canary === undefined) return becomeStable(current, release);
    if (current === null)
      throw new PromoteError(`nothing is stable on ${options.channel} yet, so there is nothing to canary beside`);
    if (current.stable.digest === release.digest) throw new PromoteError(`${version} is the stable release already`);
    const canary = { release, percent: options.canary };
    return { ...current, canary, retired: retiredBy(current, release, current.history) };
  });
}

/**
 * Takes the channel back: ends a canary when there is one, else returns to the stable release before this one. Always a new
 * document with a higher sequence. Throws PromoteError when there is nothing to return to.
 */
export async function rollbackRelease(options: ChannelOptions): Promise<ChannelDocument> {
  return changeChannel(options, (current) => {
    if (current === null) throw new PromoteError(`${options.model} has no channel ${options.channel}`);
    if (current.canary !== null) return { ...current, canary: null, retired: current.canary.release };
    const [previous, ...history] = current.history;
    if (previous === undefined) throw new PromoteError(`${options.channel} has no earlier release to return to`);
    return { stable: previous, canary: null, retired: current.stable, history };
  });
}

type Pointers = Pick<ChannelDocument, "stable" | "canary" | "retired" | "history">;

async function changeChannel(
  options: ChannelOptions,
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
    ...pointers(change(current)),
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

/** Throws PromoteError when the release is not whole and, but for `"unsigned"` trust, signed. */
async function findWholeRelease(store: ObjectStore, model: string, version: string, trust: Trust): Promise<ReleaseRef> {
  const { release, digest } = await readRelease(store, model, version);
  if (trust !== "unsigned") {
    const signature = await store.get(signatureKey(model, version));
    if (signature === null) throw new PromoteError(`${model}@${version} is not signed; publish it again with --key`);
    await verifyReleaseSignature(signature, release, digest, trust);
  }
  const missing = await missingShards(store, release);
  if (missing.length > 0) {
    throw new PromoteError(
      `${model}@${version} lacks ${missing.length} shards, of ${missing[0]?.file}; publish it again`,
    );
  }
  return { version, digest };
}

function becomeStable(current: ChannelDocument | null, release: ReleaseRef): Pointers {
  if (current === null) return { stable: release, canary: null, retired: null, history: [] };
  const history = [current.stable, ...current.history]
    .filter(({ digest }) => digest !== release.digest)
    .slice(0, CHANNEL_HISTORY);
  return { stable: release, canary: null, retired: retiredBy(current, release, history), history };
}

/**
 * What is withdrawn when `release` becomes canary or stable: the canary that it replaces, as callers were sent to it until
 * now, unless the history names it. A stable release that is replaced is in the history.
 */
function retiredBy(
  { canary, retired }: ChannelDocument,
  release: ReleaseRef,
  history: readonly ReleaseRef[],
): ReleaseRef | null {
  if (canary === null) return retired;
  const named = [release, ...history].some(({ digest }) => digest === canary.release.digest);
  return named ? retired : canary.release;
}

/** Only the pointers of what a change gave, so that a spread of the old document cannot keep its dates. */
function pointers({ stable, canary, retired, history }: Pointers): Pointers {
  return { stable, canary, retired, history };
}
