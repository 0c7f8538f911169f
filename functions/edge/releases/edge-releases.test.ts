import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { FoveaError } from "../../../shared/errors/error.ts";
import { CHANNEL_REFRESH_MS, CHANNEL_RETRY_MS } from "../../../shared/limits/releases.ts";
import { bucketSource, type BlobSource } from "../../../shared/releases/blob-source.ts";
import { sealChannel, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { generateKeyPair, importPublicKey, type SigningKey } from "../../../shared/releases/ecdsa.ts";
import { ReleaseError } from "../../../shared/releases/error.ts";
import { blobKey, channelKey, manifestKey, signatureKey } from "../../../shared/releases/keys.ts";
import { signRelease } from "../../../shared/releases/model-signing.ts";
import {
  TINY_FILE,
  TINY_MODEL,
  tinyChannel,
  tinyRelease,
  type TinyRelease,
} from "../../../shared/releases/tiny-release.ts";
import { EdgeReleases, type EdgeReleasesOptions } from "./edge-releases.ts";

const bucket = (env as unknown as { RELEASES: R2Bucket }).RELEASES;
const START = Date.parse("2026-01-15T00:00:00Z");

let key: SigningKey;
let trust: Trust;
let one: TinyRelease;
let two: TinyRelease;
let clock: number;
let pending: Promise<unknown>[];

beforeEach(async () => {
  const { objects } = await bucket.list();
  await Promise.all(objects.map((object) => bucket.delete(object.key)));
  key = await generateKeyPair();
  trust = [await importPublicKey(key.publicPem)];
  one = await publish(await tinyRelease("1.0.0"));
  two = await publish(await tinyRelease("2.0.0", "other weights of that encoder"));
  clock = START;
  pending = [];
});

async function publish(tiny: TinyRelease): Promise<TinyRelease> {
  for (const [name, bytes] of tiny.objects) await bucket.put(name, bytes);
  await bucket.put(signatureKey(TINY_MODEL, tiny.ref.version), await signRelease(tiny.release, tiny.ref.digest, key));
  return tiny;
}

function document(sequence: number, change: Partial<ChannelDocument> = {}): ChannelDocument {
  return tinyChannel(sequence, one.ref, change);
}

async function promote(value: ChannelDocument, signer: SigningKey | null = key): Promise<void> {
  await bucket.put(channelKey(TINY_MODEL, "production"), await sealChannel(value, signer));
}

function edge(options: Partial<EdgeReleasesOptions> = {}): EdgeReleases {
  return new EdgeReleases({
    sources: [bucketSource(bucket)],
    channel: "production",
    trust,
    now: () => clock,
    waitUntil: (work) => void pending.push(work),
    ...options,
  });
}

/** Lets the time pass after which the channel is looked at again, and the look that a request then begins. */
async function refreshed(releases: EdgeReleases, ms = CHANNEL_REFRESH_MS): Promise<string> {
  clock += ms;
  await releases.resolve(TINY_MODEL);
  await Promise.all(pending);
  return (await releases.resolve(TINY_MODEL)).release.version;
}

const faultOf = async (work: Promise<unknown>) =>
  work.then(
    () => "resolved",
    (thrown: unknown) =>
      thrown instanceof ReleaseError ? thrown.fault : thrown instanceof FoveaError ? thrown.code : String(thrown),
  );

describe("EdgeReleases", () => {
  it("goes from a model's name to verified bytes", async () => {
    await promote(document(1));
    const release = await edge().resolve(TINY_MODEL);
    expect(release.digest).toBe(one.ref.digest);
    expect(await release.text(TINY_FILE)).toBe("weights of a tiny encoder");
    expect(await faultOf(release.bytes("other"))).toBe("file_missing");
    expect(await faultOf(release.bytes("__proto__"))).toBe("file_missing");
  });

  it("follows a promote, and a rollback with a higher sequence", async () => {
    await promote(document(1));
    const releases = edge();
    expect((await releases.resolve(TINY_MODEL)).release.version).toBe("1.0.0");
    await promote(document(2, { stable: two.ref, history: [one.ref] }));
    expect(await refreshed(releases)).toBe("2.0.0");
    await promote(document(3, { retired: two.ref }));
    expect(await refreshed(releases)).toBe("1.0.0");
    expect((await releases.named(TINY_MODEL, two.ref.digest)).release.version).toBe("2.0.0");
  });

  it("asks the store once for many requests at once", async () => {
    await promote(document(1));
    const asked: string[] = [];
    const counting: BlobSource = { name: "r2", get: (name) => (asked.push(name), bucketSource(bucket).get(name)) };
    const releases = edge({ sources: [counting] });
    await Promise.all(Array.from({ length: 20 }, () => releases.resolve(TINY_MODEL)));
    expect(asked.toSorted()).toEqual([
      channelKey(TINY_MODEL, "production"),
      manifestKey(TINY_MODEL, "1.0.0"),
      signatureKey(TINY_MODEL, "1.0.0"),
    ]);
  });

  it("keeps a cold look at the store alive for those who wait, should the first client leave", async () => {
    await promote(document(1));
    const releases = edge();
    const waiting = [releases.resolve(TINY_MODEL), releases.resolve(TINY_MODEL)];
    await Promise.resolve();
    expect(pending.length).toBeGreaterThanOrEqual(2);
    await Promise.all(waiting);
  });

  it("does not take made-up names for models when many come at once", async () => {
    await promote(document(1));
    const releases = edge();
    const made = await Promise.all(Array.from({ length: 40 }, (_, i) => faultOf(releases.resolve(`made-up-${i}`))));
    expect(new Set(made)).toEqual(new Set(["model_not_found", "overloaded"]));
    expect(await faultOf(releases.resolve(TINY_MODEL))).toBe("resolved");
  });

  it.each(["nobody", "../channels", "a/b", "", "x".repeat(500), "__proto__"])(
    "answers 404 for the model %j",
    async (model) => {
      await promote(document(1));
      expect(await faultOf(edge().resolve(model))).toBe("model_not_found");
    },
  );

  it("sends a share of the callers to the canary, and back to stable when the canary is broken", async () => {
    await promote(document(1, { canary: { release: two.ref, percent: 10 } }));
    const releases = edge();
    expect(await releases.resolve(TINY_MODEL, 0)).toMatchObject({ digest: two.ref.digest, canary: true });
    expect(await releases.resolve(TINY_MODEL, 2 ** 31)).toMatchObject({ digest: one.ref.digest, canary: false });
    await bucket.delete(manifestKey(TINY_MODEL, "2.0.0"));
    expect(await edge().resolve(TINY_MODEL, 0)).toMatchObject({ digest: one.ref.digest, canary: false });
  });
});

describe("what is refused", () => {
  it.each<[string, string, () => Promise<void>]>([
    ["an unsigned channel document", "signature_missing", () => promote(document(1), null)],
    ["one by a stranger", "signature_untrusted", async () => promote(document(1), await generateKeyPair())],
    ["one that expired", "channel_expired", () => promote(document(1, { expiresAt: "2026-01-02T00:00:00.000Z" }))],
    [
      "HTML in its place",
      "channel_invalid",
      async () => void (await bucket.put(channelKey(TINY_MODEL, "production"), "<html>")),
    ],
    [
      "a document that is too large",
      "channel_too_large",
      async () => void (await bucket.put(channelKey(TINY_MODEL, "production"), new Uint8Array(70_000))),
    ],
    [
      "an unsigned release",
      "signature_missing",
      async () => {
        await promote(document(1));
        await bucket.delete(signatureKey(TINY_MODEL, "1.0.0"));
      },
    ],
    [
      "the signature of another release",
      "signature_mismatch",
      async () => {
        await promote(document(1));
        await bucket.put(signatureKey(TINY_MODEL, "1.0.0"), await signRelease(two.release, two.ref.digest, key));
      },
    ],
    [
      "another manifest under the version",
      "manifest_digest_mismatch",
      async () => {
        await promote(document(1));
        await bucket.put(manifestKey(TINY_MODEL, "1.0.0"), two.objects.get(manifestKey(TINY_MODEL, "2.0.0")) ?? "");
      },
    ],
    [
      "a manifest that is too large",
      "manifest_too_large",
      async () => {
        await promote(document(1));
        await bucket.put(manifestKey(TINY_MODEL, "1.0.0"), new Uint8Array(1_048_577));
      },
    ],
  ])("on a cold start: %s", async (_, fault, prepare) => {
    await prepare();
    expect(await faultOf(edge().resolve(TINY_MODEL))).toBe(fault);
    // And nothing of it stays: once the store is right again, the next request works.
    await publish(one);
    await promote(document(1));
    expect(await faultOf(edge().resolve(TINY_MODEL))).toBe("resolved");
  });

  it("an older document than the floor, on a cold start", async () => {
    await promote(document(4));
    expect(await faultOf(edge({ floors: new Map([[TINY_MODEL, 5]]) }).resolve(TINY_MODEL))).toBe("channel_older");
    expect(await faultOf(edge({ floors: new Map([[TINY_MODEL, 4]]) }).resolve(TINY_MODEL))).toBe("resolved");
  });
});

describe("the last known good release", () => {
  it.each<[string, string, () => Promise<void>]>([
    ["an older document is replayed", "channel_older", () => promote(document(1, { stable: two.ref }))],
    ["an unsigned one", "signature_missing", () => promote(document(9, { stable: two.ref }), null)],
    ["another one with the same number", "channel_invalid", () => promote(document(5, { stable: two.ref }))],
    [
      "an expired one",
      "channel_expired",
      () => promote(document(9, { stable: two.ref, expiresAt: "2026-01-15T00:00:01.000Z" })),
    ],
    ["the document is gone", "channel_missing", async () => bucket.delete(channelKey(TINY_MODEL, "production"))],
  ])("keeps serving when %s", async (_, fault, prepare) => {
    await promote(document(5));
    const releases = edge();
    await releases.resolve(TINY_MODEL);
    expect(releases.fault(TINY_MODEL)).toBeNull();
    await prepare();
    expect(await refreshed(releases)).toBe("1.0.0");
    expect(releases.fault(TINY_MODEL)?.fault).toBe(fault);
  });

  it("keeps serving when its own document expires, and says so", async () => {
    await promote(document(5, { expiresAt: "2026-01-15T00:00:10.000Z" }));
    const releases = edge();
    await releases.resolve(TINY_MODEL);
    expect(await refreshed(releases)).toBe("1.0.0");
    expect(releases.fault(TINY_MODEL)?.fault).toBe("channel_expired");
  });

  it("keeps serving when the store is down, and recovers", async () => {
    await promote(document(5));
    let down = false;
    const store: BlobSource = {
      name: "r2",
      get: (name) => (down ? Promise.reject(new Error("503")) : bucketSource(bucket).get(name)),
    };
    const releases = edge({ sources: [store] });
    await releases.resolve(TINY_MODEL);
    down = true;
    await promote(document(6, { stable: two.ref }));
    expect(await refreshed(releases)).toBe("1.0.0");
    down = false;
    expect(await refreshed(releases, CHANNEL_RETRY_MS)).toBe("2.0.0");
    expect(releases.fault(TINY_MODEL)).toBeNull();
  });

  it("keeps serving when what was promoted is broken: manifest, signature, or what it needs to serve", async () => {
    await promote(document(5));
    const releases = edge({ prepare: (reader) => reader.bytes("tokenizer.bin").then(() => reader.bytes(TINY_FILE)) });
    await releases.resolve(TINY_MODEL);
    const [shard] = two.release.files[TINY_FILE]?.shards ?? [];
    await bucket.put(blobKey(shard?.sha256 ?? ""), "poison");
    await promote(document(6, { stable: two.ref, history: [one.ref] }));
    expect(await refreshed(releases)).toBe("1.0.0");
    await publish(two);
    clock += CHANNEL_RETRY_MS + 1;
    expect((await releases.resolve(TINY_MODEL)).release.version).toBe("2.0.0");
  });

  it("is found in the channel's history by an isolate that has served nothing yet", async () => {
    await bucket.delete(manifestKey(TINY_MODEL, "2.0.0"));
    await promote(document(6, { stable: two.ref, history: [one.ref] }));
    const releases = edge();
    expect((await releases.resolve(TINY_MODEL)).release.version).toBe("1.0.0");
    await publish(two);
    clock += CHANNEL_RETRY_MS + 1;
    expect((await releases.resolve(TINY_MODEL)).release.version).toBe("2.0.0");
  });

  it("comes back when the encoder Worker says that a release is broken", async () => {
    await promote(document(5));
    const releases = edge();
    await releases.resolve(TINY_MODEL);
    await promote(document(6, { stable: two.ref }));
    expect(await refreshed(releases)).toBe("2.0.0");
    releases.reportBroken(TINY_MODEL, two.ref.digest);
    expect((await releases.resolve(TINY_MODEL)).release.version).toBe("1.0.0");
    clock += CHANNEL_RETRY_MS + 1;
    expect((await releases.resolve(TINY_MODEL)).release.version).toBe("2.0.0");
  });

  it("gives another release of the channel when the origin refuses one, by a fresh look at the channel", async () => {
    await promote(document(5));
    const releases = edge();
    await releases.resolve(TINY_MODEL);
    expect(await faultOf(releases.other(TINY_MODEL, one.ref.digest))).toBe("manifest_missing");
    await promote(document(6, { stable: two.ref, history: [one.ref] }));
    expect((await releases.other(TINY_MODEL, one.ref.digest)).digest).toBe(two.ref.digest);
    expect((await releases.other(TINY_MODEL, two.ref.digest)).digest).toBe(one.ref.digest);
  });

  it("reads from the mirror when the bucket has lost a release", async () => {
    await promote(document(5));
    const copies = new Map(one.objects);
    for (const name of [channelKey(TINY_MODEL, "production"), signatureKey(TINY_MODEL, "1.0.0")]) {
      copies.set(name, new Uint8Array((await (await bucket.get(name))?.arrayBuffer()) ?? new ArrayBuffer(0)));
    }
    const { objects } = await bucket.list();
    await Promise.all(objects.map((object) => bucket.delete(object.key)));
    const mirror: BlobSource = { name: "mirror", get: (name) => Promise.resolve(copies.get(name) ?? null) };
    const release = await edge({ sources: [bucketSource(bucket), mirror] }).resolve(TINY_MODEL);
    expect(await release.text(TINY_FILE)).toBe("weights of a tiny encoder");
  });
});
