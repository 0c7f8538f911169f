import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { StoreError, type ListedObject, type ObjectInfo, type ObjectStore, type PutCondition } from "./object-store.ts";

const TEMPORARY = ".tmp";
const STALE_LOCK_MS = 60_000;

/**
 * A folder as a bucket: for air-gapped copies, tests, and an origin with a disk. A put writes beside and renames; create-only
 * is a hard link, which fails when the name is taken, so two processes cannot both win. Replace-only compares and renames
 * under a lock file, because file systems have no compare-and-swap.
 */
export function fileStore(path: string): ObjectStore {
  const root = resolve(path);
  return {
    url: `file:${path}`,

    async get(key, { range } = {}) {
      try {
        if (range === undefined) return await readFile(pathOf(root, key));
        const handle = await open(pathOf(root, key), "r");
        try {
          const buffer = new Uint8Array(range.length);
          const { bytesRead } = await handle.read(buffer, 0, range.length, range.offset);
          return buffer.subarray(0, bytesRead);
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
        await mkdir(dirname(target), { recursive: true });
        await writeFile(temporary, bytes, { flush: true });
        await place(temporary, target, condition);
      } finally {
        await rm(temporary, { force: true });
      }
      return { size: bytes.byteLength, etag: etagOf(bytes) };
    },

    async head(key) {
      return headOf(pathOf(root, key));
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

function pathOf(root: string, key: string): string {
  const segments = key.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === ".." || segment.includes("\\"))) {
    throw new StoreError("refused", `not a key: ${JSON.stringify(key)}`);
  }
  return join(root, ...segments);
}

async function headOf(path: string): Promise<ObjectInfo | null> {
  try {
    const { size } = await stat(path);
    return { size, etag: etagOf(await readFile(path)) };
  } catch (thrown) {
    return orMissing(thrown, null);
  }
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
  await withLock(dirname(temporary), target, async () => {
    if ((await headOf(target))?.etag !== condition.ifMatch) {
      throw new StoreError("precondition_failed", "the object has changed since it was read");
    }
    await rename(temporary, target);
  });
}

async function withLock(folder: string, target: string, work: () => Promise<void>): Promise<void> {
  const lock = join(folder, `${createHash("sha256").update(target).digest("hex")}.lock`);
  const age = Date.now() - ((await stat(lock).catch(() => null))?.mtimeMs ?? Date.now());
  // Held for two system calls; one that is older belongs to a process that died.
  if (age > STALE_LOCK_MS) await rm(lock, { force: true });
  await writeFile(lock, String(process.pid), { flag: "wx" }).catch((thrown: unknown) => {
    if (codeOf(thrown) === "EEXIST") throw new StoreError("precondition_failed", `another writer holds ${lock}`);
    throw thrown;
  });
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
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
      const { size, mtimeMs } = await stat(join(root, key));
      yield { key, size, modifiedAt: mtimeMs };
    }
  }
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("sha256").update(bytes).digest("hex")}"`;
}

function orMissing<T>(thrown: unknown, value: T): T {
  const code = codeOf(thrown);
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return value;
  throw thrown;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
