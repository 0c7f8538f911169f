import type { Release, StageName } from "../../shared/releases/release.ts";
import { distinctShards } from "./read-release.ts";

export interface ReleaseDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly stages: readonly StageName[];
  /** Shards and bytes that a rollout from A to B brings to a place that holds A. */
  readonly newShards: number;
  readonly newBytes: number;
  readonly sharedBytes: number;
  /** Cached features of A are of no use to B. */
  readonly featuresChange: boolean;
  /** Edge and origin must be on the same release, or answer `409 contract_mismatch` and fall back meanwhile. */
  readonly contractChanges: boolean;
}

/** What a rollout from `a` to `b` would upload and change. Pure. */
export function diffReleases(a: Release, b: Release): ReleaseDiff {
  const names = (release: Release) => Object.keys(release.files);
  const before = distinctShards(a);
  let newShards = 0;
  let newBytes = 0;
  let sharedBytes = 0;
  for (const { sha256, size } of distinctShards(b).values()) {
    if (before.has(sha256)) sharedBytes += size;
    else {
      newShards += 1;
      newBytes += size;
    }
  }
  return {
    added: names(b).filter((name) => a.files[name] === undefined),
    removed: names(a).filter((name) => b.files[name] === undefined),
    changed: names(b).filter((name) => a.files[name] !== undefined && a.files[name].sha256 !== b.files[name]?.sha256),
    stages: changedStages(a, b),
    newShards,
    newBytes,
    sharedBytes,
    featuresChange: a.featureId !== b.featureId,
    contractChanges: a.contractId !== b.contractId,
  };
}

/** Stages that came, went, or run otherwise: another placement, dtype, runtime, or the content of a file. */
function changedStages(a: Release, b: Release): readonly StageName[] {
  const names = new Set([...Object.keys(a.stages), ...Object.keys(b.stages)] as StageName[]);
  return [...names].filter((name) => describe(a, name) !== describe(b, name));
}

function describe(release: Release, name: StageName): string {
  const stage = release.stages[name];
  if (stage === undefined) return "";
  return JSON.stringify([{ ...stage, memoryBytes: 0 }, stage.files.map((file) => release.files[file]?.sha256)]);
}
