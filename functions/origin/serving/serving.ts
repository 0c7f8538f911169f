import { setTimeout } from "node:timers/promises";
import { FoveaError } from "../../../shared/errors/error.ts";
import { RESIDENT_RELEASES } from "../../../shared/limits/releases.ts";
import { EngineHost } from "../engine/host.ts";
import { log } from "../log.ts";
import type { LocalRelease } from "../releases/local-cache.ts";
import type { Settings } from "../settings.ts";
import { engineSource, tokenizerPath } from "./engine-source.ts";
import { Holds } from "./holds.ts";

/** Where releases come from: OriginReleases in production, a stand-in in tests. */
export interface ReleaseSource {
  stable(model: string): Promise<LocalRelease>;
  /** @throws FoveaError `contract_mismatch` for a release that no channel names */
  named(model: string, digest: string): Promise<LocalRelease>;
}

/** How long a dead engine rests, so that one that dies at once does not keep the processor busy. */
const RESTART_MS = 1_000;

/** The pause doubles with each start that fails, up to this. */
const MAX_RESTART_MS = 60_000;

/** A release with its engine. */
export interface Served {
  readonly local: LocalRelease;
  readonly engine: EngineHost;
}

/** A release that a request is being answered with. It stays while it is held; given back once. */
export interface HeldRelease extends Served {
  release(): void;
}

/**
 * The engines of this process, one per release. A release that a channel newly names is loaded beside the old one, which
 * goes when it is the one used longest ago and nothing runs on it: a promotion costs nobody an answer.
 */
export class Serving {
  readonly #releases: ReleaseSource;
  readonly #settings: Settings;
  readonly #restartMs: number;
  readonly #start: (local: LocalRelease) => Promise<EngineHost>;
  readonly #served = new Map<string, Promise<Served>>();
  readonly #holds = new Holds();
  #ready: Served[] = [];
  #closed = false;

  constructor(
    releases: ReleaseSource,
    settings: Settings,
    start: (local: LocalRelease) => Promise<EngineHost> = (local) => startEngine(local, settings),
    restartMs = RESTART_MS,
  ) {
    this.#restartMs = restartMs;
    this.#releases = releases;
    this.#settings = settings;
    this.#start = start;
  }

  /** Releases that are loaded and can serve. */
  get ready(): readonly Served[] {
    return this.#ready.filter(({ engine }) => engine.failure === null);
  }

  /** Loads the stable release of every model that the settings name. */
  async warm(): Promise<void> {
    for (const model of this.#settings.models) await this.#serve(await this.#releases.stable(model));
  }

  /**
   * The release that a frame names. The caller releases it when its answer has ended.
   * @throws FoveaError `contract_mismatch`, `release_unavailable`
   */
  async named(model: string, digest: string): Promise<HeldRelease> {
    // Held before it is looked up: what is found is not let go while this waits for its turn.
    const release = this.#holds.take(digest);
    try {
      const known = this.#served.get(digest);
      const served = await (known ?? this.#serve(await this.#releases.named(model, digest)));
      if (served.local.release.name !== model) {
        throw new FoveaError("contract_mismatch", "The release is not one of the named model.");
      }
      if (served.engine.failure === null) return { ...served, release };
      throw new FoveaError("release_unavailable", "The engine stopped and is being started again.", {
        retryAfterMs: 1_000,
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#ready.map(({ engine }) => engine.close()));
    this.#ready = [];
    this.#served.clear();
  }

  #serve(local: LocalRelease): Promise<Served> {
    const known = this.#served.get(local.digest);
    if (known !== undefined) return known;
    const starting = this.#load(local);
    this.#served.set(local.digest, starting);
    starting.catch(() => this.#forget(local.digest));
    return starting;
  }

  async #load(local: LocalRelease): Promise<Served> {
    const started = performance.now();
    try {
      const served: Served = { local, engine: await this.#start(local) };
      if (this.#closed) {
        await served.engine.close();
        throw new Error("The origin went down.");
      }
      const { provider, reason } = served.engine.provider;
      log("info", "release_loaded", {
        release: `${local.release.name}@${local.release.version}`,
        digest: local.digest,
        layout: served.engine.spec.layout,
        provider,
        reason,
        ms: Math.round(performance.now() - started),
      });
      this.#ready.push(served);
      void served.engine.stopped.then(() => this.#restart(served));
      await this.#makeRoom();
      return served;
    } catch (cause) {
      log("error", "release_failed", { digest: local.digest, cause: cause instanceof Error ? cause.message : "" });
      throw new FoveaError("release_unavailable", "The release cannot be loaded here.", { cause });
    }
  }

  /** An engine that was not let go has died: it is started again, or the origin would stay unready without any traffic. */
  async #restart(served: Served): Promise<void> {
    if (this.#closed || !this.#ready.includes(served)) return;
    const { digest } = served.local;
    log("error", "engine_died", { digest, cause: served.engine.failure?.name });
    this.#forget(digest);
    for (let pause = this.#restartMs; ; pause = Math.min(2 * pause, MAX_RESTART_MS)) {
      await setTimeout(pause, undefined, { ref: false });
      if (this.#closed) return;
      try {
        await this.#serve(served.local);
        return;
      } catch {
        log("error", "restart_failed", { digest, next_ms: Math.min(2 * pause, MAX_RESTART_MS) });
      }
    }
  }

  /** Lets old engines go that nothing runs on; asked again for each, as requests come while one closes. */
  async #makeRoom(): Promise<void> {
    const limit = RESIDENT_RELEASES * this.#settings.models.length;
    while (this.#ready.length > limit) {
      const idle = this.#ready
        .slice(0, -1)
        .find(({ local, engine }) => engine.active === 0 && !this.#holds.has(local.digest));
      if (idle === undefined) return;
      this.#forget(idle.local.digest);
      await idle.engine.close();
    }
  }

  #forget(digest: string): void {
    this.#served.delete(digest);
    this.#ready = this.#ready.filter(({ local }) => local.digest !== digest);
  }
}

async function startEngine(local: LocalRelease, settings: Settings): Promise<EngineHost> {
  return EngineHost.start({
    backbone: await engineSource(local, settings),
    settings: settings.engine,
    tokenizer: tokenizerPath(local),
  });
}
