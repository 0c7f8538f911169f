import { createHash, randomUUID } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, stat, utimes, writeFile, type FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { GC_GRACE_MS } from "../../shared/limits/releases.ts";
import { withLock } from "./lock-file.ts";
import {
  StoreError,
  type ListedObject,
  type ObjectStore,
  type PutCondition,
  type StoredObject,
} from "./object-store.ts";

const TEMPORARY = ".tmp";

/**
 * A folder as a bucket: for air-gapped copies, tests, and an origin with a disk. A put writes beside and renames; create-only
 * is a hard link, which fails when the name is taken, so two processes cannot both win. Replace-only compares and renames
 * under a lock file, because file systems have no compare-and-swap. The first put removes what killed ones left behind.
 */
export function fileStore(path: string): ObjectStore {
  const root = resolve(path);
  let swept: Promise<void> | undefined;
  return {
    url: `file:${path}`,

    async get(key, { range, into } = {}) {
      try {
        const handle = await open(pathOf(root, key), "r");
        try {
          const { size } = await handle.stat();
          const offset = Math.min(range?.offset ?? 0, size);
          const length = Math.min(range?.length ?? size, size - offset);
          if (into !== undefined && length > into.length)
            throw new StoreError("refused", `${key} is longer than expected`);
          const buffer = (into ?? new Uint8Array(length)).subarray(0, length);
          await readAll(handle, buffer, offset);
          return buffer;
        } finally {
          await handle.close();
        }
      } catch (thrown) {
        return orMissing(thrown, null);
      }
    },

    async put(key, bytes, condition = {}) {
      const target = pathOf(root, key);
      const temporary = join(root, TEMPORARY, randomUUID());
      try {
        await mkdir(dirname(temporary), { recursive: true });
        await (swept ??= sweep(dirname(temporary)));
        await mkdir(dirname(target), { recursive: true });
        await writeFile(temporary, bytes, { flush: true });
        const { etag } = describe(await stat(temporary, { bigint: true }));
        await place(temporary, target, condition);
        return { size: bytes.byteLength, etag };
      } finally {
        await rm(temporary, { force: true });
      }
    },

    async head(key) {
      return headOf(pathOf(root, key));
    },

    async touch(key) {
      const now = new Date();
      return utimes(pathOf(root, key), now, now).then(
        () => true,
        (thrown: unknown) => orMissing(thrown, false),
      );
    },

    async *list(prefix) {
      yield* walk(root, "", prefix);
    },

    async delete(key) {
      await rm(pathOf(root, key), { force: true });
    },

    close() {
      // A folder holds no connections.
    },
  };
}

async function readAll(handle: FileHandle, buffer: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < buffer.length;) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, offset + done);
    if (bytesRead === 0) throw new StoreError("unreachable", "a file became shorter while it was read");
    done += bytesRead;
  }
}

function pathOf(root: string, key: string): string {
  const segments = key.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === ".." || segment.includes("\\"))) {
    throw new StoreError("refused", `not a key: ${JSON.stringify(key)}`);
  }
  return join(root, ...segments);
}

async function headOf(path: string): Promise<StoredObject | null> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? describe(stats) : null;
  } catch (thrown) {
    return orMissing(thrown, null);
  }
}

/** Every put makes a new file and moves it into place, so the file itself tells versions of an object apart. */
function describe({ ino, size, mtimeNs, mtimeMs }: BigIntStats): StoredObject {
  return { size: Number(size), etag: `"${ino}-${size}-${mtimeNs}"`, modifiedAt: Number(mtimeMs) };
}

async function place(temporary: string, target: string, condition: PutCondition): Promise<void> {
  if (condition.ifNoneMatch !== undefined) {
    await link(temporary, target).catch((thrown: unknown) => {
      if (codeOf(thrown) === "EEXIST") throw new StoreError("precondition_failed", "the object exists already");
      throw thrown;
    });
    return;
  }
  if (condition.ifMatch === undefined) {
    await rename(temporary, target);
    return;
  }
  const lock = join(dirname(temporary), `${createHash("sha256").update(target).digest("hex")}.lock`);
  await withLock(lock, async () => {
    if ((await headOf(target))?.etag !== condition.ifMatch) {
      throw new StoreError("precondition_failed", "the object has changed since it was read");
    }
    await rename(temporary, target);
  });
}

const TEMPORARY_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Removes what puts that were killed left behind. Locks are not for it: only who takes one over may remove it. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY_NAME.test(name)) continue;
    const stats = await stat(join(folder, name)).catch(() => null);
    const old = stats !== null && stats.mtimeMs < Date.now() - GC_GRACE_MS;
    // Another user's file, or one that another process removed, is no reason to refuse a put.
    if (old) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<ListedObject> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((thrown: unknown) =>
    orMissing(thrown, []),
  );
  // A folder sorts as its keys do: with the slash that follows its name.
  const sorted = entries
    .map((entry) => ({ key: `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`, isFile: entry.isFile() }))
    .filter(({ key }) => key !== `${TEMPORARY}/` && (key.startsWith(prefix) || prefix.startsWith(key)))
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  for (const { key, isFile } of sorted) {
    if (key.endsWith("/")) yield* walk(root, key, prefix);
    else if (isFile && key.startsWith(prefix)) {
      const head = await headOf(join(root, key));
      // Deleted since its folder was read: it is not there, as for any other reader.
      if (head !== null) yield { key, size: head.size, modifiedAt: head.modifiedAt };
    }
  }
}

function orMissing<T>(thrown: unknown, value: T): T {
  const code = codeOf(thrown);
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return value;
  throw thrown;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
