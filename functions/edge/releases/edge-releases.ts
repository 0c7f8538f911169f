import { MAX_RESIDENT_MODELS, RESIDENT_RELEASES, SHARD_TIMEOUT_MS } from "../../../shared/limits/releases.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { Memo } from "../../../shared/memo/memo.ts";
import type { BlobSource } from "../../../shared/releases/blob-source.ts";
import { ChannelFollower } from "../../../shared/releases/channel-follower.ts";
import { releasesOf, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { ReleaseError } from "../../../shared/releases/error.ts";
import { isModelName } from "../../../shared/releases/keys.ts";
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
  readonly #lastGood = new Map<string, ReleaseReader>();

  constructor(options: EdgeReleasesOptions) {
    this.#options = options;
    this.#shards = new ShardReader(options.sources, options);
    this.#readers = new Memo({ max: RESIDENT_RELEASES * MAX_RESIDENT_MODELS, patienceMs: SHARD_TIMEOUT_MS });
  }

  /**
   * The release that this caller gets (`callerHash` of shared/releases/pick.ts; 0 when no canary matters).
   * Throws FoveaError `model_not_found` for a model without a channel, ReleaseError (503) when none can be opened.
   */
  async resolve(model: string, callerHash = 0xffff_ffff): Promise<ResolvedRelease> {
    const document = await this.#document(model);
    const { canary, ...ref } = pickRelease(document, callerHash);
    try {
      const reader = await this.#reader(model, ref);
      if (!canary) this.#lastGood.set(model, reader);
      return resolved(reader, canary);
    } catch (thrown) {
      const fallback = canary ? await this.#stable(model, document) : this.#lastGood.get(model);
      if (fallback === undefined) throw thrown;
      return resolved(fallback, false);
    }
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

  async #stable(model: string, document: ChannelDocument): Promise<ReleaseReader | undefined> {
    try {
      return await this.#reader(model, document.stable);
    } catch {
      return this.#lastGood.get(model);
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
    if (this.#followers.size >= MAX_RESIDENT_MODELS) throw modelNotFound(model);
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

  #reader(model: string, ref: ReleaseRef): Promise<ReleaseReader> {
    return this.#readers.get(`${model}@${ref.digest}`, () => {
      const opening = openSignedRelease(this.#shards, model, ref, this.#options.trust);
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
