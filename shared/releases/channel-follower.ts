import { CHANNEL_REFRESH_MS, CHANNEL_RETRY_MS, MAX_CHANNEL_BYTES, SHARD_TIMEOUT_MS } from "../limits/releases.ts";
import { Memo } from "../memo/memo.ts";
import { acceptChannel, openChannel, type ChannelDocument } from "./channel.ts";
import type { Trust } from "./dsse.ts";
import { describeFault } from "./error.ts";
import { channelKey } from "./keys.ts";
import type { ShardReader } from "./shard-reader.ts";

export interface FollowOptions {
  readonly model: string;
  readonly channel: string;
  readonly trust: Trust;
  /** The lowest sequence that a cold start accepts: what a deploy or a disk remembers, 0 for none. */
  readonly floor: number;
  /** What to read when the very first look fails: the copy on the origin's disk. */
  readonly coldStart?: ShardReader;
  readonly now?: () => number;
  /** Called with every document that is let in, before it counts: the origin raises its floor here. */
  readonly onAccept?: (document: ChannelDocument) => Promise<void>;
  readonly onFault?: (fault: { readonly fault: string; readonly detail: string }) => void;
}

/**
 * Follows one channel document. A document that is unsigned, altered, older or expired lets no change in: the last one
 * that was accepted keeps counting, and `fault` says what is wrong. Without any accepted one, `current` throws.
 */
export class ChannelFollower {
  readonly #shards: ShardReader;
  readonly #options: FollowOptions;
  readonly #now: () => number;
  #document: ChannelDocument | null = null;
  #refreshAt = 0;
  /** One look at a time; one that never settles (its request was dropped) is given up on. */
  readonly #looks = new Memo<ChannelDocument>({ max: 1, patienceMs: SHARD_TIMEOUT_MS });
  #fault: { readonly fault: string; readonly detail: string } | null = null;

  constructor(shards: ShardReader, options: FollowOptions) {
    this.#shards = shards;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Why the newest look at the store changed nothing, or null when all is well: for readiness and metrics. */
  get fault(): { readonly fault: string; readonly detail: string } | null {
    return this.#fault;
  }

  /**
   * The document that counts now. When it is due for a refresh the old one is answered at once; only a cold start waits.
   * `keepAlive` gets every look that this call begins or joins: in a Worker the client that began it may leave, and others
   * wait for the same look. Throws ReleaseError on a cold start without a valid document.
   */
  async current(keepAlive: (work: Promise<unknown>) => void = () => undefined): Promise<ChannelDocument> {
    const document = this.#document;
    if (document !== null && this.#now() < this.#refreshAt) return document;
    const look = this.#refresh();
    keepAlive(look.catch(() => undefined));
    return document ?? look;
  }

  /** Looks at the store now and waits for the result; the origin polls with this. */
  async refresh(): Promise<ChannelDocument> {
    return this.#refresh();
  }

  async #refresh(): Promise<ChannelDocument> {
    try {
      return await this.#looks.get("", () => this.#load());
    } finally {
      this.#looks.delete("");
    }
  }

  async #load(): Promise<ChannelDocument> {
    // Set before the first await: while one look is under way, others serve what is known.
    this.#refreshAt = this.#now() + CHANNEL_RETRY_MS;
    try {
      const document = await this.#read(this.#shards);
      this.#fault = null;
      this.#refreshAt = this.#now() + CHANNEL_REFRESH_MS;
      return document;
    } catch (thrown) {
      this.#fault = describeFault(thrown);
      this.#options.onFault?.(this.#fault);
      if (this.#document !== null) return this.#document;
      const { coldStart } = this.#options;
      if (coldStart === undefined) throw thrown;
      return this.#read(coldStart).catch(() => {
        throw thrown;
      });
    }
  }

  async #read(shards: ShardReader): Promise<ChannelDocument> {
    const { model, channel, trust, floor } = this.#options;
    const faults = { missing: "channel_missing", tooLarge: "channel_too_large" } as const;
    const document = await shards.small(channelKey(model, channel), MAX_CHANNEL_BYTES, faults, async (bytes) => {
      const opened = await openChannel(bytes, { model, channel }, trust);
      acceptChannel(opened, { now: this.#now(), floor, current: this.#document });
      return opened;
    });
    await this.#options.onAccept?.(document);
    this.#document = document;
    return document;
  }
}
