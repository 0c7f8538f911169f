import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { FoveaError } from "../../../shared/errors/error.ts";
import { ORIGIN_SHARDS_IN_FLIGHT } from "../../../shared/limits/releases.ts";
import { Memo } from "../../../shared/memo/memo.ts";
import type { BlobSource } from "../../../shared/releases/blob-source.ts";
import { ChannelFollower } from "../../../shared/releases/channel-follower.ts";
import { releasesOf, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { channelKey } from "../../../shared/releases/keys.ts";
import { openSignedRelease } from "../../../shared/releases/release-reader.ts";
import type { Release, ReleaseRef } from "../../../shared/releases/release.ts";
import { ShardReader, type ReadEvents } from "../../../shared/releases/shard-reader.ts";
import { LocalCache, type LocalRelease } from "./local-cache.ts";
import type { ObjectSource } from "./s3-source.ts";

export interface OriginReleasesOptions extends ReadEvents {
  readonly source: ObjectSource;
  readonly channel: string;
  /** A folder of this process alone. */
  readonly cacheDir: string;
  readonly trust: Trust;
  readonly now?: () => number;
}

/** channel -> manifest -> verified files on local disk. The engine gets paths; it knows nothing of stores. */
export class OriginReleases {
  readonly #options: OriginReleasesOptions;
  readonly #shards: ShardReader;
  readonly #cache: LocalCache;
  readonly #followers = new Map<string, ChannelFollower>();
  /** Stable and canary of a model or two; more live on disk only. */
  readonly #open = new Memo<LocalRelease>({ max: 8 });

  constructor(options: OriginReleasesOptions) {
    this.#options = options;
    this.#shards = new ShardReader([blobSource(options.source)], options, ORIGIN_SHARDS_IN_FLIGHT);
    this.#cache = new LocalCache(options.cacheDir, options.source);
  }

  /** What the channel serves now; the answer may be up to CHANNEL_REFRESH_MS old. Throws ReleaseError on a cold start without one. */
  async channel(model: string): Promise<ChannelDocument> {
    const follower = await this.#follower(model);
    const document = await follower.current((work) => void work);
    await this.#raiseFloor(model, document.sequence);
    return document;
  }

  /** The stable release, local and verified. */
  async stable(model: string): Promise<LocalRelease> {
    return this.#local(model, (await this.channel(model)).stable);
  }

  /**
   * The release that a frame names, if the channel names it too: stable, canary, or an earlier stable one (edges follow a
   * channel with some delay). Throws FoveaError 409 `contract_mismatch` for any other, so that a frame can never make the
   * origin load what nobody promoted.
   */
  async named(model: string, digest: string): Promise<LocalRelease> {
    const ref = await this.#find(model, digest);
    if (ref === undefined) {
      throw new FoveaError(
        "contract_mismatch",
        "The named release is not served here. Take the other release of the channel.",
      );
    }
    return this.#local(model, ref);
  }

  /** Frees the disk of releases other than these. */
  async prune(keep: readonly LocalRelease[]): Promise<void> {
    await this.#cache.prune(keep);
  }

  /** Why the channel lets no change in; null when all is well. For readiness. */
  fault(model: string): { readonly fault: string; readonly detail: string } | null {
    return this.#followers.get(model)?.fault ?? null;
  }

  async #find(model: string, digest: string): Promise<ReleaseRef | undefined> {
    const known = (document: ChannelDocument) => releasesOf(document).find((ref) => ref.digest === digest);
    const ref = known(await this.channel(model));
    // An edge that refreshed before this process did names a release that is new to it.
    return ref ?? known(await (await this.#follower(model)).refresh());
  }

  #local(model: string, ref: ReleaseRef): Promise<LocalRelease> {
    return this.#open.get(ref.digest, async () => {
      const { release } = await openSignedRelease(this.#shards, model, ref, this.#options.trust);
      return this.#cache.open(release, ref.digest, originFiles(release));
    });
  }

  async #follower(model: string): Promise<ChannelFollower> {
    const known = this.#followers.get(model);
    if (known !== undefined) return known;
    const { channel, trust, now, onFault } = this.#options;
    const follower = new ChannelFollower(this.#shards, {
      model,
      channel,
      trust,
      floor: await this.#readFloor(model),
      ...(now === undefined ? {} : { now }),
      onFault: (fault) => onFault?.({ source: "channel", key: model, ...fault }),
    });
    const raced = this.#followers.get(model);
    if (raced !== undefined) return raced;
    this.#followers.set(model, follower);
    return follower;
  }

  #floorPath(model: string): string {
    return join(this.#options.cacheDir, "floors", ...channelKey(model, this.#options.channel).split("/"));
  }

  async #readFloor(model: string): Promise<number> {
    const text = await readFile(this.#floorPath(model), "utf8").catch(() => "0");
    const floor = Number(text);
    return Number.isSafeInteger(floor) && floor > 0 ? floor : 0;
  }

  /** The floor outlives the process, so a restart cannot be fed an older document. */
  async #raiseFloor(model: string, sequence: number): Promise<void> {
    if (sequence <= (await this.#readFloor(model))) return;
    const path = this.#floorPath(model);
    const temporary = `${path}.${randomUUID()}.tmp`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, String(sequence));
    await rename(temporary, path);
  }
}

/** Files of stages that run here, or may be moved here. */
export function originFiles(release: Release): readonly string[] {
  const stages = Object.values(release.stages).filter((stage) => stage.placement === "origin" || stage.movable);
  return [...new Set(stages.flatMap((stage) => stage.files))];
}

function blobSource(source: ObjectSource): BlobSource {
  return {
    name: "s3",
    async get(key, signal) {
      const body = await source.read(key, 0, signal ?? new AbortController().signal);
      return body === null ? null : (Readable.toWeb(Readable.from(body)) as ReadableStream<Uint8Array>);
    },
  };
}
