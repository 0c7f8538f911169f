import { rm, stat, writeFile } from "node:fs/promises";
import { StoreError } from "./object-store.ts";

/** A lock is held for two system calls; one that is older belongs to a process that died. */
const STALE_LOCK_MS = 60_000;

/**
 * Runs `work` while the file `lock` is there, made by this call alone. Throws StoreError `precondition_failed` when another
 * writer holds it.
 */
export async function withLock(lock: string, work: () => Promise<void>): Promise<void> {
  await removeStale(lock);
  await writeFile(lock, String(process.pid), { flag: "wx" }).catch((thrown: unknown) => {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") {
      throw new StoreError("precondition_failed", `another writer holds ${lock}`);
    }
    throw thrown;
  });
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/**
 * To look and then to remove is two steps, between which another writer may have put its own lock there. So who removes a
 * stale lock holds the lock on that one file: it is looked at once more, and nobody else can remove it.
 */
async function removeStale(lock: string): Promise<void> {
  const stale = await staleId(lock);
  if (stale === null) return;
  await withLock(`${lock}.${stale}`, async () => {
    if ((await staleId(lock)) === stale) await rm(lock, { force: true });
  });
}

/** Which file the lock is, when it is stale; null when it is held or not there. */
async function staleId(lock: string): Promise<string | null> {
  const stats = await stat(lock, { bigint: true }).catch(() => null);
  if (stats === null || Date.now() - Number(stats.mtimeMs) <= STALE_LOCK_MS) return null;
  return `${stats.ino}-${stats.mtimeNs}`;
}
