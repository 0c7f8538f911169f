import { describe, expect, it } from "vitest";
import { acceptChannel, openChannel, sealChannel, type ChannelDocument } from "./channel.ts";
import { generateKeyPair, importPublicKey } from "./ecdsa.ts";
import { ReleaseError } from "./error.ts";
import { callerHash, pickRelease } from "./pick.ts";

const NOW = Date.parse("2026-01-15T00:00:00Z");
const ref = (version: string) => ({ version, digest: version.replaceAll(".", "0").padEnd(64, "a") });

function document(change: Partial<ChannelDocument> = {}): ChannelDocument {
  return {
    schema: "fovea.channel/1",
    model: "tiny",
    channel: "production",
    sequence: 5,
    issuedAt: "2026-01-01T00:00:00.000Z",
    expiresAt: "2026-04-01T00:00:00.000Z",
    stable: ref("1.0.0"),
    canary: null,
    retired: null,
    history: [],
    ...change,
  };
}

const expected = { model: "tiny", channel: "production" };
const faultOf = async (work: () => unknown) => {
  try {
    await work();
    return "accepted";
  } catch (thrown) {
    return thrown instanceof ReleaseError ? thrown.fault : String(thrown);
  }
};

describe("openChannel", () => {
  it("gives what was sealed, by a trusted key only", async () => {
    const [key, other] = [await generateKeyPair(), await generateKeyPair()];
    const bytes = await sealChannel(document(), key);
    expect(await openChannel(bytes, expected, [await importPublicKey(key.publicPem)])).toEqual(document());
    const stranger = [await importPublicKey(other.publicPem)];
    expect(await faultOf(() => openChannel(bytes, expected, stranger))).toBe("signature_untrusted");
  });

  it("refuses an unsigned, an altered and a misplaced document", async () => {
    const key = await generateKeyPair();
    const trust = [await importPublicKey(key.publicPem)];
    expect(await faultOf(async () => openChannel(await sealChannel(document(), null), expected, trust))).toBe(
      "signature_missing",
    );
    const envelope = JSON.parse(new TextDecoder().decode(await sealChannel(document(), key))) as { payload: string };
    const evil = { ...envelope, payload: btoa(atob(envelope.payload).replace('"sequence":5', '"sequence":9')) };
    const bytes = new TextEncoder().encode(JSON.stringify(evil));
    expect(await faultOf(() => openChannel(bytes, expected, trust))).toBe("signature_untrusted");
    const good = await sealChannel(document(), key);
    expect(await faultOf(() => openChannel(good, { ...expected, channel: "staging" }, trust))).toBe("channel_invalid");
    expect(await faultOf(() => openChannel(good, { ...expected, model: "other" }, trust))).toBe("channel_invalid");
  });

  it.each(["<html>", "", "[]", '{"payloadType":"x"}', "null"])("refuses %j", async (text) => {
    const bytes = new TextEncoder().encode(text);
    expect(await faultOf(() => openChannel(bytes, expected, "unsigned"))).toMatch(
      /^(channel_invalid|signature_malformed)$/,
    );
  });

  it("refuses what is too large before it is read", async () => {
    expect(await faultOf(() => openChannel(new Uint8Array(65_537), expected, "unsigned"))).toBe("channel_too_large");
  });
});

describe("acceptChannel", () => {
  const state = { now: NOW, floor: 0, current: null };

  it("takes a newer one, and the same one again", async () => {
    expect(await faultOf(() => acceptChannel(document(), { ...state, current: document({ sequence: 4 }) }))).toBe(
      "accepted",
    );
    expect(await faultOf(() => acceptChannel(document(), { ...state, current: document() }))).toBe("accepted");
  });

  it("refuses one below what was seen, or below the floor", async () => {
    const seen = { ...state, current: document({ sequence: 6 }) };
    expect(await faultOf(() => acceptChannel(document(), seen))).toBe("channel_older");
    expect(await faultOf(() => acceptChannel(document(), { ...state, floor: 6 }))).toBe("channel_older");
  });

  it("refuses another document with the same number", async () => {
    const twin = document({ stable: ref("2.0.0") });
    expect(await faultOf(() => acceptChannel(twin, { ...state, current: document() }))).toBe("channel_invalid");
  });

  it("refuses one whose time is over", async () => {
    const late = { ...state, now: Date.parse("2026-04-01T00:00:00Z") };
    expect(await faultOf(() => acceptChannel(document(), late))).toBe("channel_expired");
  });
});

describe("pickRelease", () => {
  const canary = (percent: number) => document({ canary: { release: ref("2.0.0"), percent } });

  it("gives the stable release without a canary", () => {
    expect(pickRelease(document(), 0)).toEqual({ ...ref("1.0.0"), canary: false });
  });

  it("meets the percentage, keeps each caller, and only ever moves callers to the canary as it grows", async () => {
    const hashes = await Promise.all(Array.from({ length: 4000 }, (_, i) => callerHash("tiny", `key-${i}`, null)));
    let before = new Set<number>();
    for (const percent of [1, 10, 50, 99]) {
      const on = new Set(hashes.filter((hash) => pickRelease(canary(percent), hash).canary));
      expect(Math.abs(on.size / hashes.length - percent / 100)).toBeLessThan(0.03);
      expect([...before].every((hash) => on.has(hash))).toBe(true);
      expect(hashes.filter((hash) => pickRelease(canary(percent), hash).canary).length).toBe(on.size);
      before = on;
    }
  });

  it("tells callers apart by key and end user, and models from each other", async () => {
    expect(await callerHash("tiny", "ab", "c")).not.toBe(await callerHash("tiny", "a", "bc"));
    expect(await callerHash("tiny", "ab", "c")).toBe(await callerHash("tiny", "ab", "c"));
    expect(await callerHash("tiny", "ab", null)).not.toBe(await callerHash("other", "ab", null));
  });
});
