import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ORIGIN_SHARDS_IN_FLIGHT, SHARD_TIMEOUT_MS } from "../../../shared/limits/releases.ts";
import type { Sha256 } from "../../../shared/releases/digest.ts";
import type { Release, ReleaseFile } from "../../../shared/releases/release.ts";
import { Semaphore } from "../../../shared/releases/semaphore.ts";
import { downloadShard } from "./download-shard.ts";
import type { ObjectSource } from "./s3-source.ts";

/** A release on local disk, every byte of which was verified in this process. */
export interface LocalRelease {
  readonly release: Release;
  readonly digest: Sha256;
  readonly directory: string;
  /** The absolute path of a file that the origin holds, for onnxruntime-node; external data lies beside its graph. */
  path(name: string): string;
}

/**
 * The origin's disk: `files/<sha256>` holds each file once, `releases/<digest>/` names them by hard links, `tmp/` holds
 * what is not finished. Both appear by rename, so a crash or a full disk leaves nothing half-written under a final name.
 */
export class LocalCache {
  readonly #root: string;
  readonly #source: ObjectSource;
  readonly #shardTimeoutMs: number;
  readonly #inFlight = new Semaphore(ORIGIN_SHARDS_IN_FLIGHT);
  /** A file that was downloaded and not yet linked looks like one that nobody needs, so opening and pruning take turns. */
  readonly #alone = new Semaphore(1);
  /** What this process downloaded or hashed; bytes from an earlier process are hashed once before use. */
  readonly #verified = new Set<Sha256>();

  constructor(root: string, source: ObjectSource, shardTimeoutMs = SHARD_TIMEOUT_MS) {
    this.#root = root;
    this.#shardTimeoutMs = shardTimeoutMs;
    this.#source = source;
  }

  /** Makes the named files of the release local. Throws ReleaseError, or the disk's own error (ENOSPC); nothing is left behind. */
  async open(release: Release, digest: Sha256, names: readonly string[]): Promise<LocalRelease> {
    const files = names.flatMap((name) => {
      const file = release.files[name];
      return file === undefined ? [] : [{ name, file }];
    });
    return this.#alone.run(async () => {
      for (const { file } of files) await this.#ensureFile(file);
      const directory = join(this.#root, "releases", digest);
      await this.#linkAll(directory, files);
      return { release, digest, directory, path: (name) => join(directory, ...name.split("/")) };
    });
  }

  /**
   * Removes every release but these, files that no release links to any more, and what earlier crashes left in `tmp/`. What
   * a process has open or mapped stays readable to it. The result names the releases that went.
   *
   * @param wanted the releases to keep; asked while none can be opened
   */
  async prune(wanted: () => Promise<ReadonlySet<Sha256>>): Promise<readonly Sha256[]> {
    return this.#alone.run(async () => {
      const keep = await wanted();
      await rm(join(this.#root, "tmp"), { recursive: true, force: true });
      const gone = (await list(join(this.#root, "releases"))).filter((digest) => !keep.has(digest));
      for (const digest of gone) await rm(join(this.#root, "releases", digest), { recursive: true, force: true });
      for (const sha256 of await list(join(this.#root, "files"))) {
        const path = join(this.#root, "files", sha256);
        if ((await stat(path)).nlink > 1) continue;
        await rm(path, { force: true });
        this.#verified.delete(sha256);
      }
      return gone;
    });
  }

  async #ensureFile(file: ReleaseFile): Promise<void> {
    if (this.#verified.has(file.sha256)) return;
    const path = join(this.#root, "files", file.sha256);
    if ((await hashFile(path)) !== file.sha256) await this.#download(file, path);
    this.#verified.add(file.sha256);
  }

  async #download(file: ReleaseFile, path: string): Promise<void> {
    const temporary = join(this.#root, "tmp", randomUUID());
    await mkdir(dirname(temporary), { recursive: true });
    await mkdir(dirname(path), { recursive: true });
    try {
      const handle = await open(temporary, "wx");
      try {
        await this.#fill(handle, file);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw thrown;
    }
  }

  async #fill(handle: FileHandle, file: ReleaseFile): Promise<void> {
    const failed = new AbortController();
    let position = 0;
    const downloads = file.shards.map((shard) => {
      const at = position;
      position += shard.size;
      return this.#inFlight.run(async () => {
        failed.signal.throwIfAborted();
        await downloadShard(this.#source, shard, handle, at, failed.signal, this.#shardTimeoutMs).catch(
          (thrown: unknown) => {
            failed.abort(thrown);
            throw thrown;
          },
        );
      });
    });
    // The handle is closed after this, so every download must have ended, also when one failed.
    await Promise.allSettled(downloads);
    failed.signal.throwIfAborted();
  }

  async #linkAll(
    directory: string,
    files: readonly { readonly name: string; readonly file: ReleaseFile }[],
  ): Promise<void> {
    const temporary = join(this.#root, "tmp", randomUUID());
    try {
      await mkdir(temporary, { recursive: true });
      await mkdir(dirname(directory), { recursive: true });
      for (const { name, file } of files) {
        const path = join(temporary, ...name.split("/"));
        await mkdir(dirname(path), { recursive: true });
        await link(join(this.#root, "files", file.sha256), path);
      }
      // A folder from an earlier process may lack a file or hold another; it is replaced by what was verified just now.
      await rm(directory, { recursive: true, force: true });
      await rename(temporary, directory);
    } catch (thrown) {
      await rm(temporary, { recursive: true, force: true });
      throw thrown;
    }
  }
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

async function hashFile(path: string): Promise<Sha256 | null> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  } catch {
    // Missing or unreadable: both mean that it must be fetched.
    return null;
  }
  return hash.digest("hex");
}
