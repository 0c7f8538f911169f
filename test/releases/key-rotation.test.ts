import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EdgeReleases } from "../../functions/edge/releases/edge-releases.ts";
import { fileSource } from "../../functions/origin/releases/file-source.ts";
import { OriginReleases } from "../../functions/origin/releases/origin-releases.ts";
import { flakyStore } from "../../infra/releases/flaky-store.ts";
import { promoteRelease } from "../../infra/releases/promote-release.ts";
import { publishRelease } from "../../infra/releases/publish-release.ts";
import { fileStore } from "../../infra/store/file-store.ts";
import { CHANNEL_REFRESH_MS } from "../../shared/limits/releases.ts";
import type { BlobSource } from "../../shared/releases/blob-source.ts";
import type { Trust } from "../../shared/releases/dsse.ts";
import { generateKeyPair, importPublicKey } from "../../shared/releases/ecdsa.ts";
import { signatureKey } from "../../shared/releases/keys.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";

const MODEL = "synthetic";
const RELEASE = { model: MODEL, version: "1.0.0" } as const;

let folder: string;
let root: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-rotation-"));
  root = join(folder, "store");
  await writeSyntheticModel(join(folder, "model"), 1);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bucket: BlobSource = { name: "r2", get: (key) => readFile(join(root, key)).catch(() => null) };

/** An edge, and an origin with an empty disk, that trust these keys. */
function fleet(trust: Trust, cache: string) {
  let now = Date.now();
  const common = { channel: "production", trust, now: () => now };
  const edge = new EdgeReleases({ ...common, sources: [bucket] });
  const origin = new OriginReleases({ ...common, source: fileSource(root), cacheDir: join(folder, cache) });
  return {
    serves: async () => [
      await edge.resolve(MODEL).then(({ release }) => release.version),
      await origin.stable(MODEL).then(({ release }) => release.version),
    ],
    later: () => (now += CHANNEL_REFRESH_MS + 1),
    fault: () => edge.fault(MODEL)?.fault,
  };
}

describe("rotating the key that signs releases", () => {
  it("trusts both, signs anew, promotes anew, then trusts the new one alone; nothing stops meanwhile", async () => {
    const [old, next] = [await generateKeyPair(), await generateKeyPair()];
    const [trustOld, trustNext] = [[await importPublicKey(old.publicPem)], [await importPublicKey(next.publicPem)]];
    const trustBoth = [...trustOld, ...trustNext];
    const store = flakyStore(fileStore(root), () => false);
    const promote = { ...RELEASE, store, channel: "production" };
    await publishRelease(join(folder, "model"), { ...RELEASE, store, key: old });
    await promoteRelease({ ...promote, key: old, trust: trustOld });

    const lagging = fleet(trustOld, "lagging");
    const both = fleet(trustBoth, "both");
    expect(await lagging.serves()).toEqual(["1.0.0", "1.0.0"]);
    expect(await both.serves()).toEqual(["1.0.0", "1.0.0"]);

    store.puts.length = 0;
    await publishRelease(join(folder, "model"), { ...RELEASE, store, key: next });
    expect(store.puts).toEqual([signatureKey(MODEL, RELEASE.version)]);
    await promoteRelease({ ...promote, key: next, trust: trustBoth });

    for (const running of [both, lagging]) {
      running.later();
      expect(await running.serves()).toEqual(["1.0.0", "1.0.0"]);
    }
    expect(await fleet(trustNext, "next").serves()).toEqual(["1.0.0", "1.0.0"]);
    // Who was forgotten goes on serving what it has, and says why it lets no change in.
    await expect.poll(() => lagging.fault()).toBe("signature_untrusted");
    expect(both.fault()).toBeUndefined();
    await expect(fleet(trustOld, "cold").serves()).rejects.toMatchObject({ fault: "signature_untrusted" });
  });
});
