import { describe, expect, it } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EdgeReleases } from "../../functions/edge/releases/edge-releases.ts";
import { OriginReleases } from "../../functions/origin/releases/origin-releases.ts";
import type { ObjectSource } from "../../functions/origin/releases/s3-source.ts";
import { FoveaError } from "../../shared/errors/error.ts";
import type { BlobSource } from "../../shared/releases/blob-source.ts";
import { sealChannel, type ChannelDocument } from "../../shared/releases/channel.ts";
import { checkContract } from "../../shared/releases/contract.ts";
import { channelKey } from "../../shared/releases/keys.ts";
import { callerHash } from "../../shared/releases/pick.ts";
import type { ReleaseReader } from "../../shared/releases/release-reader.ts";
import { TINY_MODEL, tinyChannel, tinyRelease, type TinyRelease } from "../../shared/releases/tiny-release.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-01-15T00:00:00Z");

/** One bucket, four edges and three origins, each of which looks at the channel in its own time. */
async function fleet(one: TinyRelease, two: TinyRelease) {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>([...one.objects, ...two.objects]);
  let now = START;
  let sequence = 0;
  const promote = async (change: Partial<ChannelDocument>) => {
    sequence += 1;
    const document = tinyChannel(sequence, one.ref, change);
    objects.set(channelKey(TINY_MODEL, "production"), await sealChannel(document, null));
  };
  await promote({});
  const cacheDir = await mkdtemp(join(tmpdir(), "fovea-rolling-"));
  const bucket: BlobSource = { name: "r2", get: (key) => Promise.resolve(objects.get(key) ?? null) };
  const common = { channel: "production", trust: "unsigned" } as const;
  // Clocks that differ make the processes notice a promote minutes apart.
  const edges = [0, 0.2, 0.5, 0.9].map(
    (lag) => new EdgeReleases({ ...common, sources: [bucket], now: () => START + (now - START) * (1 - lag) }),
  );
  const origins = [0, 0.4, 0.8].map((lag, i) => {
    const source: ObjectSource = {
      async read(key, offset) {
        const bytes = objects.get(key)?.subarray(offset);
        await Promise.resolve();
        return bytes === undefined ? null : asIterable(bytes);
      },
    };
    const clock = () => START + (now - START) * (1 - lag);
    return new OriginReleases({ ...common, source, cacheDir: join(cacheDir, String(i)), now: clock });
  });
  const tick = (ms: number) => (now += ms);
  return { promote, edges, origins, tick, close: () => rm(cacheDir, { recursive: true, force: true, maxRetries: 10 }) };
}

async function* asIterable(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}

/** One request as edge and origin make it: features of one release, decoded by the backbone of one release. */
async function request(
  edge: EdgeReleases,
  origin: OriginReleases,
  caller: number,
): Promise<{ encoded: string; decoded: string }> {
  let resolved: ReleaseReader = await edge.resolve(TINY_MODEL, caller);
  for (let attempt = 1; ; attempt += 1) {
    const frame = { releaseDigest: resolved.digest, contractId: resolved.release.contractId };
    try {
      const served = await origin.named(TINY_MODEL, frame.releaseDigest);
      checkContract(frame.contractId, served.release);
      return { encoded: resolved.digest, decoded: served.digest };
    } catch (thrown) {
      if (!(thrown instanceof FoveaError) || thrown.code !== "contract_mismatch" || attempt > 2) throw thrown;
      resolved = await edge.other(TINY_MODEL, resolved.digest);
    }
  }
}

describe("a rolling upgrade under load", () => {
  it("fails no request and mixes no answer: canary, promote, rollback, while processes lag minutes behind", async () => {
    const [one, two] = [await tinyRelease("1.0.0"), await tinyRelease("2.0.0", "other weights of that encoder")];
    const { promote, edges, origins, tick, close } = await fleet(one, two);
    try {
      const callers = await Promise.all(Array.from({ length: 40 }, (_, i) => callerHash(TINY_MODEL, `key-${i}`, null)));
      const seen = new Map<string, number>();
      const load = async () => {
        const jobs = callers.map((caller, i) => {
          const [edge, origin] = [edges[i % edges.length], origins[(i * 7) % origins.length]];
          if (edge === undefined || origin === undefined) throw new Error("a fleet has both");
          return request(edge, origin, caller);
        });
        for (const { encoded, decoded } of await Promise.all(jobs)) {
          expect(decoded).toBe(encoded);
          seen.set(decoded, (seen.get(decoded) ?? 0) + 1);
        }
      };
      for (const change of [
        {},
        { canary: { release: two.ref, percent: 20 } },
        { canary: { release: two.ref, percent: 60 } },
        { stable: two.ref, history: [one.ref] },
        { stable: one.ref, retired: two.ref },
      ]) {
        await promote(change);
        for (let i = 0; i < 6; i += 1) {
          await load();
          tick(MINUTE / 3);
        }
      }
      expect([...seen.keys()].toSorted()).toEqual([one.ref.digest, two.ref.digest].toSorted());
      for (const count of seen.values()) expect(count).toBeGreaterThan(100);
    } finally {
      await close();
    }
  });

  it("refuses rows of another encoder although they fit", async () => {
    const [one, two] = [await tinyRelease("1.0.0"), await tinyRelease("2.0.0", "other weights of that encoder")];
    checkContract(one.release.contractId, one.release);
    expect(() => checkContract(two.release.contractId, one.release)).toThrow("another backbone");
  });
});
