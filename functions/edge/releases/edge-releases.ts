import { MAX_RESIDENT_MODELS, RESIDENT_RELEASES, SHARD_TIMEOUT_MS } from "../../../shared/limits/releases.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { Memo } from "../../../shared/memo/memo.ts";
import type { BlobSource } from "../../../shared/releases/blob-source.ts";
import { ChannelFollower } from "../../../shared/releases/channel-follower.ts";
import { releasesOf, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { describeFault, ReleaseError } from "../../../shared/releases/error.ts";
import { isModelName } from "../../../shared/releases/keys.ts";
import { KnownGood } from "../../../shared/releases/known-good.ts";
import { pickRelease } from "../../../shared/releases/pick.ts";
import { openSignedRelease, type ReleaseReader } from "../../../shared/releases/release-reader.ts";
import type { ReleaseRef } from "../../../shared/releases/release.ts";
import { ShardReader, type ReadEvents } from "../../../shared/releases/shard-reader.ts";

export interface EdgeReleasesOptions extends ReadEvents {
  /** In the order to ask: cache, R2 binding, mirror. */
  readonly sources: readonly BlobSource[];
  readonly channel: string;
  readonly trust: Trust;
  /** Version floor per model: the sequence below which a cold start refuses a channel document. */
  readonly floors?: ReadonlyMap<string, number>;
  /**
   * Loads what a release needs before it serves (tokenizer, template). When this fails, the release is broken, and the one
   * before it goes on serving.
   */
  readonly prepare?: (reader: ReleaseReader) => Promise<unknown>;
  /** `waitUntil` of `cloudflare:workers`: keeps a load alive when the client that began it leaves. */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  readonly now?: () => number;
}

/** What a request works with: one release, from its first step to its last. */
export interface ResolvedRelease extends ReleaseReader {
  readonly canary: boolean;
}

/**
 * model -> channel document -> release. One per isolate. What it holds is keyed by digests, so nothing in it belongs to a
 * request; when a newer release cannot be opened, the last known good one keeps serving.
 */
export class EdgeReleases {
  readonly #options: EdgeReleasesOptions;
  readonly #shards: ShardReader;
  readonly #followers = new Map<string, ChannelFollower>();
  readonly #readers: Memo<ReleaseReader>;
  readonly #known: KnownGood<ReleaseReader>;

  constructor(options: EdgeReleasesOptions) {
    this.#options = options;
    this.#shards = new ShardReader(options.sources, options);
    this.#known = new KnownGood(options.now);
    this.#readers = new Memo({ max: RESIDENT_RELEASES * MAX_RESIDENT_MODELS, patienceMs: SHARD_TIMEOUT_MS });
  }

  /**
   * The release that this caller gets (`callerHash` of shared/releases/pick.ts; 0 when no canary matters).
   * Throws FoveaError `model_not_found` for a model without a channel, ReleaseError (503) when none can be opened.
   */
  async resolve(model: string, callerHash = 0xffff_ffff): Promise<ResolvedRelease> {
    const document = await this.#document(model);
    const { canary, ...ref } = pickRelease(document, callerHash);
    const picked = await this.#tryOpen(model, ref, !canary);
    if ("reader" in picked) return resolved(picked.reader, canary);
    if (canary) {
      const stable = await this.#tryOpen(model, document.stable, true);
      if ("reader" in stable) return resolved(stable.reader, false);
    }
    const fallback = this.#known.fallback(model, ref.digest) ?? (await this.#earlier(model, document));
    if (fallback === undefined) throw picked.failure;
    return resolved(fallback, false);
  }

  /** A fresh isolate has served nothing yet; the signed document says what was stable before. */
  async #earlier(model: string, document: ChannelDocument): Promise<ReleaseReader | undefined> {
    for (const ref of document.history) {
      const opened = await this.#tryOpen(model, ref, true);
      if ("reader" in opened) return opened.reader;
    }
    return undefined;
  }

  /**
   * Another release of the channel than the one that the origin refused (409 `contract_mismatch`): the channel is looked at
   * anew, then stable, canary and the one that served before are tried in turn. Throws the error of the last, so that the
   * caller can take the pixel path or give up.
   */
  async other(model: string, refused: string): Promise<ResolvedRelease> {
    const document = await this.#follower(model).refresh();
    let failure: unknown = new ReleaseError("manifest_missing", `the channel of ${model} names no other release`);
    for (const ref of releasesOf(document)) {
      if (ref.digest === refused) continue;
      const opened = await this.#tryOpen(model, ref, false);
      if ("reader" in opened) return resolved(opened.reader, ref.digest === document.canary?.release.digest);
      failure = opened.failure ?? failure;
    }
    throw failure;
  }

  /**
   * Takes a release out of use for some seconds: its encoder could not be loaded, or the origin knows nothing of it. The
   * next `resolve` gives the one that served before.
   */
  reportBroken(model: string, digest: string): void {
    this.#known.failed(model, digest);
    this.#readers.delete(`${model}@${digest}`);
  }

  /** A release by its digest, for the other side of a rollout: one that the channel names now. */
  async named(model: string, digest: string): Promise<ReleaseReader> {
    const document = await this.#document(model);
    const ref = releasesOf(document).find((candidate) => candidate.digest === digest);
    if (ref === undefined) throw new ReleaseError("manifest_missing", `no release ${digest} on the channel`);
    return this.#reader(model, ref);
  }

  /** Why a model's channel lets no change in (expired, altered, unreadable); null when all is well. For readiness. */
  fault(model: string): { readonly fault: string; readonly detail: string } | null {
    return this.#followers.get(model)?.fault ?? null;
  }

  async #tryOpen(
    model: string,
    ref: ReleaseRef,
    stable: boolean,
  ): Promise<{ readonly reader: ReleaseReader } | { readonly failure: unknown }> {
    const fallback = this.#known.fallback(model, ref.digest);
    if (fallback !== undefined && this.#known.isFailed(ref.digest)) return { failure: null };
    try {
      const reader = await this.#reader(model, ref);
      // A canary has not served everyone, so nobody falls back to it.
      if (stable) this.#known.succeeded(model, reader);
      return { reader };
    } catch (failure) {
      this.#known.failed(model, ref.digest);
      this.#options.onFault?.({ source: "release", key: `${model}@${ref.version}`, ...describeFault(failure) });
      return { failure };
    }
  }

  async #document(model: string): Promise<ChannelDocument> {
    const follower = this.#follower(model);
    try {
      return await follower.current(this.#options.waitUntil);
    } catch (thrown) {
      // A name that a client made up must not take the place of a model that serves.
      this.#followers.delete(model);
      if (thrown instanceof ReleaseError && thrown.fault === "channel_missing") throw modelNotFound(model);
      throw thrown;
    }
  }

  #follower(model: string): ChannelFollower {
    if (!isModelName(model)) throw modelNotFound(model);
    const known = this.#followers.get(model);
    if (known !== undefined) return known;
    if (this.#followers.size >= MAX_RESIDENT_MODELS) {
      throw new FoveaError("overloaded", "Too many different models are asked for at once. Try again in a moment.");
    }
    const { channel, trust, floors, now, onFault } = this.#options;
    const follower = new ChannelFollower(this.#shards, {
      model,
      channel,
      trust,
      floor: floors?.get(model) ?? 0,
      ...(now === undefined ? {} : { now }),
      onFault: (fault) => onFault?.({ source: "channel", key: model, ...fault }),
    });
    this.#followers.set(model, follower);
    return follower;
  }

  async #open(model: string, ref: ReleaseRef): Promise<ReleaseReader> {
    const reader = await openSignedRelease(this.#shards, model, ref, this.#options.trust);
    await this.#options.prepare?.(reader);
    return reader;
  }

  #reader(model: string, ref: ReleaseRef): Promise<ReleaseReader> {
    return this.#readers.get(`${model}@${ref.digest}`, () => {
      const opening = this.#open(model, ref);
      this.#options.waitUntil?.(opening.catch(() => undefined));
      return opening;
    });
  }
}

function resolved(reader: ReleaseReader, canary: boolean): ResolvedRelease {
  return {
    canary,
    release: reader.release,
    digest: reader.digest,
    bytes: (name) => reader.bytes(name),
    fill: (name, place) => reader.fill(name, place),
    text: (name) => reader.text(name),
    json: (name) => reader.json(name),
    has: (name) => reader.has(name),
    stage: (name) => reader.stage(name),
  };
}

function modelNotFound(model: string): FoveaError {
  const shown = model.slice(0, 64);
  return new FoveaError(
    "model_not_found",
    `The model \`${shown}\` does not exist. GET /v1/models lists those that do.`,
    {
      param: "model",
    },
  );
}
