import { join } from "node:path";
import { Readable } from "node:stream";
import { FoveaError } from "../../../shared/errors/error.ts";
import { CHANNEL_REFRESH_MS, ORIGIN_SHARDS_IN_FLIGHT } from "../../../shared/limits/releases.ts";
import { Memo } from "../../../shared/memo/memo.ts";
import type { BlobSource } from "../../../shared/releases/blob-source.ts";
import { ChannelFollower } from "../../../shared/releases/channel-follower.ts";
import { releasesOf, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import type { Sha256 } from "../../../shared/releases/digest.ts";
import { describeFault } from "../../../shared/releases/error.ts";
import { channelKey } from "../../../shared/releases/keys.ts";
import { KnownGood } from "../../../shared/releases/known-good.ts";
import { openSignedRelease } from "../../../shared/releases/release-reader.ts";
import type { Release, ReleaseRef, Stage } from "../../../shared/releases/release.ts";
import { ShardReader, type ReadEvents } from "../../../shared/releases/shard-reader.ts";
import { DocumentStore } from "./document-store.ts";
import { fileSource } from "./file-source.ts";
import { LocalCache, type LocalRelease } from "./local-cache.ts";
import type { ObjectSource } from "./s3-source.ts";

export interface OriginReleasesOptions extends Omit<ReadEvents, "onVerified"> {
  readonly source: ObjectSource;
  readonly channel: string;
  /** A folder of this process alone. */
  readonly cacheDir: string;
  readonly trust: Trust;
  /** For one try of one shard; SHARD_TIMEOUT_MS unless told. */
  readonly shardTimeoutMs?: number;
  readonly now?: () => number;
}

/**
 * channel -> manifest -> verified files on local disk. The engine gets paths; it knows nothing of stores. A release that
 * cannot be had leaves the last good one serving.
 */
export class OriginReleases {
  readonly #options: OriginReleasesOptions;
  readonly #shards: ShardReader;
  readonly #channels: ShardReader;
  readonly #disk: ShardReader;
  readonly #cache: LocalCache;
  readonly #documents: DocumentStore;
  readonly #followers = new Memo<ChannelFollower>({ max: 32 });
  /** Stable and canary of a model or two; more live on disk only. */
  readonly #open = new Memo<LocalRelease>({ max: 8 });
  readonly #known: KnownGood<LocalRelease>;
  readonly #faults = new Map<string, Fault>();
  /** Models of which a release was asked for; what lies on disk for others is from an earlier process. */
  readonly #models = new Set<string>();

  constructor(options: OriginReleasesOptions) {
    this.#options = options;
    this.#known = new KnownGood(options.now);
    this.#documents = new DocumentStore(join(options.cacheDir, "documents"));
    const [store, disk] = [blobSource("store", options.source), blobSource("disk", fileSource(this.#documents.root))];
    const events = { ...options, onVerified: (key: string, bytes: Uint8Array) => this.#documents.keep(key, bytes) };
    this.#shards = new ShardReader([store, disk], events, { inFlight: ORIGIN_SHARDS_IN_FLIGHT });
    // A channel document is read from disk on a cold start only: later on, it would hide what is wrong with the store.
    this.#channels = new ShardReader([store], events);
    this.#disk = new ShardReader([disk]);
    this.#cache = new LocalCache(options.cacheDir, options.source, options.shardTimeoutMs);
  }

  /** What the channel serves now; it may be CHANNEL_REFRESH_MS old. Throws ReleaseError on a cold start without one. */
  async channel(model: string): Promise<ChannelDocument> {
    const follower = await this.#follower(model);
    return follower.current((work) => void work);
  }

  /** The stable release, local and verified; the last good one when the new one cannot be had. Throws ReleaseError. */
  async stable(model: string): Promise<LocalRelease> {
    const { stable, history } = await this.channel(model);
    const last = this.#known.fallback(model, stable.digest);
    if (last !== undefined && this.#known.isFailed(stable.digest)) return last;
    try {
      const release = await this.#had(model, stable);
      this.#faults.delete(model);
      return release;
    } catch (thrown) {
      const fault = describeFault(thrown);
      this.#known.failed(model, stable.digest);
      this.#faults.set(model, fault);
      this.#options.onFault?.({ source: "release", key: `${model}@${stable.version}`, ...fault });
      if (last !== undefined) return last;
      // A fresh process has served nothing yet; the signed document says what was stable before.
      for (const ref of history) {
        const earlier = await this.#had(model, ref).catch(() => null);
        if (earlier !== null) return earlier;
      }
      throw thrown;
    }
  }

  async #had(model: string, ref: ReleaseRef): Promise<LocalRelease> {
    const release = await this.#local(model, ref);
    this.#known.succeeded(model, release);
    return release;
  }

  /** Stable, and the canary when there is one that can be had: two at most are to be resident. */
  async serving(model: string): Promise<readonly LocalRelease[]> {
    const stable = await this.stable(model);
    const { canary } = await this.channel(model);
    if (canary === null) return [stable];
    const beside = await this.#local(model, canary.release).catch(() => null);
    return beside === null || beside.digest === stable.digest ? [stable] : [stable, beside];
  }

  /**
   * The release that a frame names, if the channel names it too: stable, canary, withdrawn a moment ago, or an earlier
   * stable one (edges follow a channel with some delay). Throws FoveaError 409 `contract_mismatch` for any other, so that
   * a frame can never make the origin load what nobody promoted.
   */
  async named(model: string, digest: string): Promise<LocalRelease> {
    const ref = await this.#find(model, digest);
    if (ref === undefined) {
      const message = "The named release is not served here. Take the other release of the channel, or send pixels.";
      throw new FoveaError("contract_mismatch", message);
    }
    return this.#local(model, ref);
  }

  /**
   * Keeps what the channels name on disk before a frame asks for it, and the disk free of what they no longer name. The
   * result ends it. Failures are faults like any others: `onFault` says them, and the next round tries again.
   */
  watch(models: readonly string[]): () => void {
    const timer = setInterval(() => {
      const looks = models.map(async (model) => {
        await (await this.#follower(model)).refresh();
        await this.serving(model);
      });
      void Promise.allSettled(looks)
        .then(() => this.prune())
        .catch(() => undefined);
    }, CHANNEL_REFRESH_MS);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Frees the disk of releases that no channel names any more: they cannot be asked for again. */
  async prune(): Promise<void> {
    for (const digest of await this.#cache.prune(() => this.#wanted())) this.#open.delete(digest);
  }

  async #wanted(): Promise<ReadonlySet<Sha256>> {
    const documents = await Promise.all([...this.#models].map((model) => this.channel(model)));
    return new Set(documents.flatMap((document) => releasesOf(document).map(({ digest }) => digest)));
  }

  /** Why a change is not let in (channel), or what was promoted cannot be had (release); null when all is well. */
  async fault(model: string): Promise<Fault | null> {
    return (await this.#follower(model)).fault ?? this.#faults.get(model) ?? null;
  }

  async #find(model: string, digest: string): Promise<ReleaseRef | undefined> {
    const known = (document: ChannelDocument) => releasesOf(document).find((ref) => ref.digest === digest);
    const ref = known(await this.channel(model));
    // An edge that refreshed before this process did names a release that is new to it.
    return ref ?? known(await (await this.#follower(model)).refresh());
  }

  #local(model: string, ref: ReleaseRef): Promise<LocalRelease> {
    this.#models.add(model);
    return this.#open.get(ref.digest, async () => {
      const { release } = await openSignedRelease(this.#shards, model, ref, this.#options.trust);
      return this.#cache.open(release, ref.digest, originFiles(release));
    });
  }

  #follower(model: string): Promise<ChannelFollower> {
    return this.#followers.get(model, async () => {
      const { channel, trust, now, onFault } = this.#options;
      const key = channelKey(model, channel);
      return new ChannelFollower(this.#channels, {
        coldStart: this.#disk,
        model,
        channel,
        trust,
        // The floor outlives the process, so a restart cannot be fed an older document.
        floor: await this.#documents.floor(key),
        onAccept: ({ sequence }) => this.#documents.raiseFloor(key, sequence),
        ...(now === undefined ? {} : { now }),
        onFault: (fault) => onFault?.({ source: "channel", key: model, ...fault }),
      });
    });
  }
}

interface Fault {
  readonly fault: string;
  readonly detail: string;
}

/** Files of stages that run here, or may be moved here. */
export function originFiles(release: Release): readonly string[] {
  const runsHere = (stage: Stage | undefined): boolean => stage?.placement === "origin" || stage?.movable === true;
  const { vision_encoder, image_processor } = release.stages;
  const stages = Object.values(release.stages).filter(
    // An encoder makes `pixel_values` of samples by the numbers of the image processor.
    (stage) => runsHere(stage) || (stage === image_processor && runsHere(vision_encoder)),
  );
  // The compiled tokenizer tells what each id stands for: answers that follow a schema are masked here.
  const tokenizer = release.stages.tokenizer?.files.slice(0, 1) ?? [];
  return [...new Set([...stages.flatMap((stage) => stage.files), ...tokenizer])];
}

function blobSource(name: string, source: ObjectSource): BlobSource {
  return {
    name,
    async get(key, signal) {
      const body = await source.read(key, 0, signal ?? new AbortController().signal);
      return body === null ? null : (Readable.toWeb(Readable.from(body)) as ReadableStream<Uint8Array>);
    },
  };
}
