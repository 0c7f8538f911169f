import type { ChannelDocument } from "../../shared/releases/channel.ts";
import type { Trust } from "../../shared/releases/dsse.ts";
import { describeFault } from "../../shared/releases/error.ts";
import { CHANNELS_PREFIX, isModelName, RELEASES_PREFIX } from "../../shared/releases/keys.ts";
import type { Release } from "../../shared/releases/release.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { readChannel } from "./promote-release.ts";
import { distinctShards, readRelease } from "./read-release.ts";

export interface InventoryRelease {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly release: Release;
  readonly signed: boolean;
  /** When its manifest was written. */
  readonly modifiedAt: number;
}

export interface Inventory {
  readonly channels: readonly ChannelDocument[];
  readonly releases: readonly InventoryRelease[];
  /** Documents that are there and cannot be used: `gc` stops at one, `list` shows them. */
  readonly broken: readonly { readonly key: string; readonly fault: string; readonly detail: string }[];
}

/** Reads every channel and manifest of a store. Shards are not read. */
export async function readInventory(store: ObjectStore, trust: Trust): Promise<Inventory> {
  const channels: ChannelDocument[] = [];
  const releases: InventoryRelease[] = [];
  const broken: { key: string; fault: string; detail: string }[] = [];
  const attempt = async (key: string, work: () => Promise<void>) => {
    await work().catch((thrown: unknown) => void broken.push({ key, ...describeFault(thrown) }));
  };
  for await (const { key } of store.list(CHANNELS_PREFIX)) {
    const [, channel, model] = /^channels\/([^/]+)\/([^/]+)\.json$/.exec(key) ?? [];
    if (channel === undefined || model === undefined || !isModelName(model)) continue;
    await attempt(key, async () => {
      const document = await readChannel(store, model, channel, trust);
      if (document !== null) channels.push(document);
    });
  }
  const signatures = new Set<string>();
  const manifests: { key: string; model: string; version: string; modifiedAt: number }[] = [];
  for await (const { key, modifiedAt } of store.list(RELEASES_PREFIX)) {
    const [, model, version, file] = /^releases\/([^/]+)\/([^/]+)\/(manifest\.json|model\.sig)$/.exec(key) ?? [];
    if (model === undefined || version === undefined) continue;
    if (file === "model.sig") signatures.add(`${model}@${version}`);
    else manifests.push({ key, model, version, modifiedAt });
  }
  for (const { key, model, version, modifiedAt } of manifests) {
    await attempt(key, async () => {
      const { release, digest } = await readRelease(store, model, version);
      releases.push({ model, version, digest, release, signed: signatures.has(`${model}@${version}`), modifiedAt });
    });
  }
  return { channels, releases, broken };
}

/** Bytes of a release as it is stored: every distinct shard once. */
export function storedBytes(release: Release): number {
  let bytes = 0;
  for (const { size } of distinctShards(release).values()) bytes += size;
  return bytes;
}

/** Bytes of a release that another one of the store has as well. */
export function sharedBytes(release: Release, others: readonly Release[]): number {
  const elsewhere = new Set<string>();
  for (const other of others) {
    if (other !== release) for (const sha256 of distinctShards(other).keys()) elsewhere.add(sha256);
  }
  let bytes = 0;
  for (const { sha256, size } of distinctShards(release).values()) if (elsewhere.has(sha256)) bytes += size;
  return bytes;
}
