import type { Trust } from "../../shared/releases/dsse.ts";
import { releasesOf } from "../../shared/releases/channel.ts";
import { BLOBS_PREFIX, manifestKey, signatureKey } from "../../shared/releases/keys.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { readInventory, type Inventory, type InventoryRelease } from "./inventory.ts";
import { distinctShards } from "./read-release.ts";

/** Deletes between two looks at what is named: how many shards a publish that runs beside may find gone. */
const DELETES_PER_LOOK = 100;

export interface GcOptions {
  readonly store: ObjectStore;
  readonly trust: Trust;
  /** Newest releases of each model that stay although no channel names them. */
  readonly keep: number;
  /** Younger blobs stay: a publish that runs now has not written its manifest yet. */
  readonly graceMs: number;
  readonly dryRun: boolean;
  readonly now?: () => number;
}

export interface GcResult {
  readonly releases: readonly string[];
  readonly blobs: number;
  readonly bytes: number;
  readonly keptReleases: readonly string[];
}

export class GcError extends Error {
  override readonly name = "GcError";
}

/**
 * Removes releases that no channel names (stable, canary, retired, history) and that are not among the newest, then shards
 * that no remaining release names. Manifests go before shards, so a release is gone before it is broken. A channel document
 * or a manifest that cannot be read stops it: what it names would be lost. Throws GcError.
 */
export async function collectGarbage(options: GcOptions): Promise<GcResult> {
  const { store, trust, dryRun } = options;
  const now = options.now?.() ?? Date.now();
  const youngerThan = now - options.graceMs;
  const { kept, dropped } = partition(await whole(store, trust), options.keep, youngerThan);
  const removed: InventoryRelease[] = [];
  for (const release of dropped) {
    const goes = dryRun || (await removeRelease(store, release, youngerThan));
    (goes ? removed : kept).push(release);
  }
  let named = shardsOf(kept);
  const garbage: { key: string; size: number }[] = [];
  for await (const { key, size, modifiedAt } of store.list(BLOBS_PREFIX)) {
    const young = modifiedAt > youngerThan;
    if (!named.has(key.slice(BLOBS_PREFIX.length)) && !young) garbage.push({ key, size });
  }
  let blobs = 0;
  let bytes = 0;
  for (const [index, { key, size }] of garbage.entries()) {
    // A publish may have named an old shard since: look again, and again after every hundred.
    if (!dryRun && index % DELETES_PER_LOOK === 0) named = shardsOf((await whole(store, trust)).releases);
    if (named.has(key.slice(BLOBS_PREFIX.length))) continue;
    if (!dryRun && !(await deleteOld(store, key, youngerThan))) continue;
    blobs += 1;
    bytes += size;
  }
  return { releases: removed.map(nameOf), blobs, bytes, keptReleases: kept.map(nameOf) };
}

/** False when a publish or a promote has made it young, so that it stays. */
async function removeRelease(
  store: ObjectStore,
  { model, version }: InventoryRelease,
  youngerThan: number,
): Promise<boolean> {
  if (!(await deleteOld(store, manifestKey(model, version), youngerThan))) return false;
  await deleteOld(store, signatureKey(model, version), youngerThan);
  return true;
}

/** Looks once more just before: a publish may have made it young since the listing. False when it stays, or is gone. */
async function deleteOld(store: ObjectStore, key: string, youngerThan: number): Promise<boolean> {
  const head = await store.head(key);
  if (head === null || head.modifiedAt > youngerThan) return false;
  await store.delete(key);
  return true;
}

async function whole(store: ObjectStore, trust: Trust): Promise<Inventory> {
  const inventory = await readInventory(store, trust);
  const broken = inventory.broken[0];
  if (broken !== undefined) {
    throw new GcError(
      `${broken.key} cannot be used (${broken.detail}), so what it names is unknown; nothing was removed`,
    );
  }
  return inventory;
}

function partition(
  { channels, releases }: Inventory,
  keep: number,
  youngerThan: number,
): { readonly kept: InventoryRelease[]; readonly dropped: readonly InventoryRelease[] } {
  const named = new Set(channels.flatMap((document) => releasesOf(document).map(({ digest }) => digest)));
  const seen = new Map<string, number>();
  const kept: InventoryRelease[] = [];
  const dropped: InventoryRelease[] = [];
  for (const release of releases.toSorted((a, b) => b.modifiedAt - a.modifiedAt)) {
    const rank = seen.get(release.model) ?? 0;
    seen.set(release.model, rank + 1);
    const stays = named.has(release.digest) || rank < keep || release.modifiedAt > youngerThan;
    (stays ? kept : dropped).push(release);
  }
  return { kept, dropped };
}

function shardsOf(releases: readonly InventoryRelease[]): ReadonlySet<string> {
  return new Set(releases.flatMap(({ release }) => [...distinctShards(release).keys()]));
}

function nameOf({ model, version }: InventoryRelease): string {
  return `${model}@${version}`;
}
