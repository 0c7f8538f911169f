import { setTimeout } from "node:timers/promises";
import { GC_GRACE_MS, GC_SETTLE_MS } from "../../shared/limits/releases.ts";
import type { ObjectStore, StoredObject } from "../store/object-store.ts";

/** Whether `gc` may take it soon: half of the grace time is left for the work that names it, and for clocks that differ. */
export function isOld({ modifiedAt }: StoredObject): boolean {
  return modifiedAt < Date.now() - GC_GRACE_MS / 2;
}

/** Makes an old object young; false when it is young already, or not there. */
export async function renew(store: ObjectStore, key: string): Promise<boolean> {
  const head = await store.head(key);
  return head !== null && isOld(head) && store.touch(key);
}

/**
 * Waits after an old object was made young. `gc` may have found it old just before and be about to delete it; after this
 * wait that has happened, so that another look tells. Tests bring their own.
 */
export async function settle(): Promise<void> {
  await setTimeout(GC_SETTLE_MS);
}
