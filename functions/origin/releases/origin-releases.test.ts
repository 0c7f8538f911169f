import { chmod, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FoveaError } from "../../../shared/errors/error.ts";
import { CHANNEL_REFRESH_MS, CHANNEL_RETRY_MS } from "../../../shared/limits/releases.ts";
import { sealChannel, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { generateKeyPair, importPublicKey, type SigningKey } from "../../../shared/releases/ecdsa.ts";
import { sha256Hex } from "../../../shared/releases/digest.ts";
import { ReleaseError } from "../../../shared/releases/error.ts";
import { blobKey, channelKey, manifestKey, signatureKey } from "../../../shared/releases/keys.ts";
import { signRelease } from "../../../shared/releases/model-signing.ts";
import { TINY_MODEL, tinyChannel, tinyRelease, type TinyRelease } from "../../../shared/releases/tiny-release.ts";
import { startFaultyS3, type Fault, type FaultyS3 } from "./faulty-s3.ts";
import { LocalCache } from "./local-cache.ts";
import { OriginReleases } from "./origin-releases.ts";
import { s3Source } from "./s3-source.ts";

const BUCKET = "fovea-test";
const CHANNEL_KEY = channelKey(TINY_MODEL, "production");
const START = Date.parse("2026-01-15T00:00:00Z");
/** The backbone of the tiny release: one file of one shard. */
const FILE = "tokenizer.bin";

let s3: FaultyS3;
let cacheDir: string;
let key: SigningKey;
let trust: Trust;
let one: TinyRelease;
let two: TinyRelease;
let shard: string;
let clock: number;

beforeEach(async () => {
  s3 = await startFaultyS3(BUCKET);
  cacheDir = await mkdtemp(join(tmpdir(), "fovea-origin-"));
  key = await generateKeyPair();
  trust = [await importPublicKey(key.publicPem)];
  clock = START;
  one = await publish(await tinyRelease("1.0.0"));
  two = await publish(await tinyRelease("2.0.0", "other weights of that encoder"));
  shard = blobKey(one.release.files[FILE]?.sha256 ?? "");
  await promote(document(1));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await s3.close();
  await rm(cacheDir, { recursive: true, force: true, maxRetries: 10 });
});

async function publish(tiny: TinyRelease): Promise<TinyRelease> {
  for (const [name, bytes] of tiny.objects) s3.objects.set(name, bytes);
  const signature = await signRelease(tiny.release, tiny.ref.digest, key);
  s3.objects.set(signatureKey(TINY_MODEL, tiny.ref.version), signature);
  return tiny;
}

function document(sequence: number, change: Partial<ChannelDocument> = {}): ChannelDocument {
  return tinyChannel(sequence, one.ref, change);
}

async function promote(value: ChannelDocument, signer: SigningKey | null = key): Promise<void> {
  s3.objects.set(CHANNEL_KEY, await sealChannel(value, signer));
}

function origin(): OriginReleases {
  const source = s3Source({ bucket: BUCKET, endpoint: s3.endpoint, accessKeyId: "a", secretAccessKey: "b" });
  return new OriginReleases({ source, channel: "production", cacheDir, trust, now: () => clock, shardTimeoutMs: 1000 });
}

/** Lets the time pass after which the channel is looked at again, and waits for that look. */
async function refreshed(releases: OriginReleases, ms = CHANNEL_REFRESH_MS): Promise<string> {
  clock += ms;
  // A release that is not known makes the origin look at the channel before it refuses it.
  expect(await faultOf(releases.named(TINY_MODEL, "0".repeat(64)))).not.toBe("local");
  return (await releases.stable(TINY_MODEL)).release.version;
}

const faultOf = async (work: Promise<unknown>) =>
  work.then(
    () => "local",
    (thrown: unknown) =>
      thrown instanceof ReleaseError ? thrown.fault : thrown instanceof FoveaError ? thrown.code : String(thrown),
  );

const read = async (release: { path(name: string): string }) => readFile(release.path(FILE), "utf8");
const leftovers = async () => (await readdir(join(cacheDir, "tmp")).catch(() => [])).length;

/** The fault for the first `times` reads of the shard. */
const shardFault =
  (times: number, misbehave: Fault): Fault =>
  (request, response, bytes) => {
    if (!decodeURIComponent(request.url ?? "").includes(shard) || times <= 0) return false;
    times -= 1;
    return misbehave(request, response, bytes);
  };

const answer =
  (status: number, body: Uint8Array | string, headers: Record<string, string> = {}): Fault =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
    return true;
  };

const cutAt =
  (length: number): Fault =>
  (_, response, bytes) => {
    response.writeHead(200, { "content-length": bytes?.length ?? 0 });
    response.write(bytes?.subarray(0, length));
    setTimeout(() => response.destroy(), 5);
    return true;
  };

describe("OriginReleases", () => {
  it("makes a release local, by paths, and fetches nothing twice", async () => {
    const releases = origin();
    expect(await read(await releases.stable(TINY_MODEL))).toBe("tokens");
    await releases.stable(TINY_MODEL);
    expect(s3.requests.filter((name) => name === shard).length).toBe(1);
    expect(await leftovers()).toBe(0);
    expect(await releases.fault(TINY_MODEL)).toBeNull();
  });

  it("hashes what an earlier process left, uses what is right and fetches what is not", async () => {
    await origin().stable(TINY_MODEL);
    s3.requests.length = 0;
    expect(await read(await origin().stable(TINY_MODEL))).toBe("tokens");
    expect(s3.requests).not.toContain(shard);
    const file = join(cacheDir, "files", one.release.files[FILE]?.sha256 ?? "");
    await chmod(file, 0o600);
    await writeFile(file, "poison");
    expect(await read(await origin().stable(TINY_MODEL))).toBe("tokens");
    expect(s3.requests).toContain(shard);
  });

  it("holds stable and canary side by side, then lets go of what nobody serves", async () => {
    await promote(document(1, { canary: { release: two.ref, percent: 10 } }));
    const releases = origin();
    const serving = await releases.serving(TINY_MODEL);
    expect(serving.map(({ release }) => release.version)).toEqual(["1.0.0", "2.0.0"]);
    await promote(document(2));
    await refreshed(releases);
    await releases.prune();
    expect(await readdir(join(cacheDir, "releases"))).toEqual([one.ref.digest]);
    expect((await readdir(join(cacheDir, "files"))).length).toBe(2);
    expect(await read(await origin().stable(TINY_MODEL))).toBe("tokens");
  });

  it("watches: what is promoted is on disk before anyone asks, what no channel names goes", async () => {
    const releases = origin();
    await releases.stable(TINY_MODEL);
    await promote(document(2, { stable: two.ref }));
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const stop = releases.watch([TINY_MODEL]);
    vi.advanceTimersByTime(CHANNEL_REFRESH_MS);
    vi.useRealTimers();
    await vi.waitFor(async () => expect(await readdir(join(cacheDir, "releases"))).toEqual([two.ref.digest]));
    stop();
    await promote(document(3));
    expect(await refreshed(releases)).toBe("1.0.0");
    expect(await read(await releases.stable(TINY_MODEL))).toBe("tokens");
  });

  it("has 24 reads in flight, no more", async () => {
    const source = s3Source({ bucket: BUCKET, endpoint: s3.endpoint, accessKeyId: "a", secretAccessKey: "b" });
    const parts = await Promise.all(
      Array.from({ length: 80 }, async (_, i) => {
        const bytes = new TextEncoder().encode(`part ${i}`);
        const sha256 = await sha256Hex(bytes);
        s3.objects.set(blobKey(sha256), bytes);
        return { sha256, size: bytes.length, bytes };
      }),
    );
    const whole = Buffer.concat(parts.map(({ bytes }) => bytes));
    const shards = parts.map(({ sha256, size }) => ({ sha256, size }));
    const wide = { sha256: await sha256Hex(whole), size: whole.length, shards };
    s3.fault = (_, response, bytes) => {
      setTimeout(() => response.end(bytes), 20);
      return true;
    };
    const release = { ...one.release, files: { ...one.release.files, wide } };
    const local = await new LocalCache(cacheDir, source).open(release, one.ref.digest, ["wide"]);
    expect(await readFile(local.path("wide"))).toEqual(whole);
    expect(s3.peakInFlight).toBe(24);
  });

  it("serves and keeps what the channel names, looks what it names by now, and answers 409 to all else", async () => {
    const releases = origin();
    expect(await faultOf(releases.named(TINY_MODEL, two.ref.digest))).toBe("contract_mismatch");
    await promote(document(2, { stable: two.ref, history: [one.ref] }));
    expect((await releases.named(TINY_MODEL, two.ref.digest)).release.version).toBe("2.0.0");
    const named = await releases.named(TINY_MODEL, one.ref.digest);
    expect(await faultOf(releases.named(TINY_MODEL, "../../etc/passwd"))).toBe("contract_mismatch");
    await releases.prune();
    expect([named.release.version, await read(named)]).toEqual(["1.0.0", "tokens"]);
  });
});

describe("a store that misbehaves", () => {
  it.each<[string, string, Fault]>([
    [
      "truncated",
      "shard_unreadable",
      (_, response, bytes) => answer(200, bytes?.subarray(0, 3) ?? "")(_, response, bytes),
    ],
    ["cut off", "shard_unreadable", cutAt(0)],
    ["bit-flipped", "shard_digest_mismatch", answer(200, "tokenS")],
    ["swapped", "shard_digest_mismatch", answer(200, "pirate")],
    ["too long", "shard_length_mismatch", answer(200, "tokens!")],
    ["HTML with 200", "shard_length_mismatch", answer(200, "<!doctype html><html></html>")],
    ["missing", "shard_missing", answer(404, "<Error><Code>NoSuchKey</Code></Error>")],
    ["503", "shard_unreadable", answer(503, "<Error><Code>SlowDown</Code></Error>")],
    ["429", "shard_unreadable", answer(429, "<Error><Code>TooManyRequests</Code></Error>")],
    ["403", "shard_unreadable", answer(403, "<Error><Code>AccessDenied</Code></Error>")],
    ["silent", "shard_unreadable", () => true],
    [
      "slow",
      "shard_unreadable",
      (_, response, bytes) => {
        response.writeHead(200, { "content-length": bytes?.length ?? 0 });
        response.write(bytes?.subarray(0, 0));
        return true;
      },
    ],
    ["a redirect", "shard_unreadable", answer(307, "", { location: "http://127.0.0.1:9/evil" })],
  ])("never gets a shard on disk that is %s", async (_, fault, misbehave) => {
    s3.fault = shardFault(99, misbehave);
    const releases = origin();
    expect(await faultOf(releases.stable(TINY_MODEL))).toBe(fault);
    expect(await leftovers()).toBe(0);
    expect(await readdir(join(cacheDir, "files")).catch(() => [])).toEqual(
      expect.not.arrayContaining([one.release.files[FILE]?.sha256]),
    );
    s3.fault = () => false;
    expect(await read(await releases.stable(TINY_MODEL))).toBe("tokens");
  });

  it("goes on with a ranged GET where a stream broke", async () => {
    s3.fault = shardFault(1, cutAt(4));
    expect(await read(await origin().stable(TINY_MODEL))).toBe("tokens");
    expect(s3.requests.filter((name) => name.startsWith(shard))).toEqual([shard, `${shard} @4`]);
  });

  it("rides out a 503 of a moment", async () => {
    s3.fault = shardFault(2, answer(503, "<Error><Code>SlowDown</Code></Error>"));
    expect(await read(await origin().stable(TINY_MODEL))).toBe("tokens");
  });

  it("keeps the served release when the disk is full, and leaves nothing half-written", async () => {
    const releases = origin();
    await releases.stable(TINY_MODEL);
    await promote(document(2, { stable: two.ref, history: [one.ref] }));
    const handle = await open(join(cacheDir, "probe"), "w");
    await handle.close();
    const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const write = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, "write").mockRejectedValue(full);
    // The manifest says that the backbone is new, so that something must be written.
    expect(await refreshed(releases)).toBe("1.0.0");
    expect((await releases.fault(TINY_MODEL))?.fault).toBe("unexpected");
    expect(write).toHaveBeenCalled();
    expect(await leftovers()).toBe(0);
    vi.restoreAllMocks();
    expect(await refreshed(releases, CHANNEL_RETRY_MS + CHANNEL_REFRESH_MS)).toBe("2.0.0");
  });
});

describe("documents that lie", () => {
  it.each<[string, string, () => Promise<void>]>([
    ["older", "channel_older", () => promote(document(1, { stable: two.ref }))],
    ["unsigned", "signature_missing", () => promote(document(9, { stable: two.ref }), null)],
    [
      "by a stranger",
      "signature_untrusted",
      async () => promote(document(9, { stable: two.ref }), await generateKeyPair()),
    ],
    [
      "expired",
      "channel_expired",
      () => promote(document(9, { stable: two.ref, expiresAt: "2026-01-02T00:00:00.000Z" })),
    ],
    ["HTML", "channel_invalid", async () => void s3.objects.set(CHANNEL_KEY, new TextEncoder().encode("<html>"))],
  ])("let no change in: %s", async (_, fault, prepare) => {
    await promote(document(5));
    const releases = origin();
    await releases.stable(TINY_MODEL);
    await prepare();
    expect(await refreshed(releases)).toBe("1.0.0");
    expect((await releases.fault(TINY_MODEL))?.fault).toBe(fault);
  });

  it("refuses an older document after a restart too: the floor is on disk", async () => {
    await promote(document(5));
    await origin().stable(TINY_MODEL);
    await promote(document(4, { stable: two.ref }));
    // The copy on disk is the newer one, so it serves; without it, nothing does.
    expect((await origin().stable(TINY_MODEL)).release.version).toBe("1.0.0");
    await rm(join(cacheDir, "documents", "channels"), { recursive: true });
    expect(await faultOf(origin().stable(TINY_MODEL))).toBe("channel_older");
  });

  it("starts without the store from what it has on disk, unless that has expired", async () => {
    await origin().stable(TINY_MODEL);
    s3.fault = answer(503, "<Error><Code>SlowDown</Code></Error>");
    expect(await read(await origin().stable(TINY_MODEL))).toBe("tokens");
    clock = Date.parse("2026-05-01T00:00:00Z");
    expect(await faultOf(origin().stable(TINY_MODEL))).toBe("shard_unreadable");
  });

  it("starts with the release that was stable before when the new one cannot be had", async () => {
    await promote(document(2, { stable: two.ref, history: [one.ref] }));
    s3.objects.delete(blobKey(two.release.files["onnx/decoder_model_merged.onnx"]?.sha256 ?? ""));
    const releases = origin();
    expect((await releases.stable(TINY_MODEL)).release.version).toBe("1.0.0");
    expect((await releases.fault(TINY_MODEL))?.fault).toBe("shard_missing");
    await publish(two);
    expect(await refreshed(releases, CHANNEL_RETRY_MS + CHANNEL_REFRESH_MS)).toBe("2.0.0");
  });

  it("keeps the served release when the manifest of a new one is broken or too large", async () => {
    const releases = origin();
    await releases.stable(TINY_MODEL);
    await promote(document(2, { stable: two.ref }));
    s3.objects.set(manifestKey(TINY_MODEL, "2.0.0"), new Uint8Array(1_048_577));
    expect(await refreshed(releases)).toBe("1.0.0");
    expect((await releases.fault(TINY_MODEL))?.fault).toBe("manifest_too_large");
  });
});
