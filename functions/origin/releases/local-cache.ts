import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ORIGIN_SHARDS_IN_FLIGHT } from "../../../shared/limits/releases.ts";
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
  readonly #inFlight = new Semaphore(ORIGIN_SHARDS_IN_FLIGHT);
  /** What this process downloaded or hashed; bytes from an earlier process are hashed once before use. */
  readonly #verified = new Set<Sha256>();

  constructor(root: string, source: ObjectSource) {
    this.#root = root;
    this.#source = source;
  }

  /** Makes the named files of the release local. Throws ReleaseError, or the disk's own error (ENOSPC); nothing is left behind. */
  async open(release: Release, digest: Sha256, names: readonly string[]): Promise<LocalRelease> {
    const files = names.flatMap((name) => {
      const file = release.files[name];
      return file === undefined ? [] : [{ name, file }];
    });
    for (const { file } of files) await this.#ensureFile(file);
    const directory = join(this.#root, "releases", digest);
    await this.#linkAll(directory, files);
    return { release, digest, directory, path: (name) => join(directory, ...name.split("/")) };
  }

  /** Removes releases other than these, files that none of these use, and what earlier crashes left in `tmp/`. */
  async prune(keep: readonly LocalRelease[]): Promise<void> {
    const digests = new Set(keep.map(({ digest }) => digest));
    const files = new Set(keep.flatMap(({ release }) => Object.values(release.files).map(({ sha256 }) => sha256)));
    await this.#removeOthers("releases", digests);
    await this.#removeOthers("files", files);
    for (const sha256 of this.#verified) if (!files.has(sha256)) this.#verified.delete(sha256);
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
        await downloadShard(this.#source, shard, handle, at, failed.signal).catch((thrown: unknown) => {
          failed.abort(thrown);
          throw thrown;
        });
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

  async #removeOthers(folder: string, keep: ReadonlySet<string>): Promise<void> {
    const parent = join(this.#root, folder);
    for (const name of await readdir(parent).catch(() => [])) {
      if (!keep.has(name)) await rm(join(parent, name), { recursive: true, force: true });
    }
  }
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
