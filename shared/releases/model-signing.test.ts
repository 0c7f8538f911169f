import { beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "./dsse.ts";
import { derToRaw, generateKeyPair, importPrivateKey, importPublicKey, rawToDer, sign, verify } from "./ecdsa.ts";
import { ReleaseError } from "./error.ts";
import { openModelSignature, signRelease, verifyReleaseSignature } from "./model-signing.ts";
import { releaseDigest } from "./release.ts";
import { tinyRelease } from "./tiny-release.ts";
import spec from "./model-signing.vectors.json";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const faultOf = async (work: Promise<unknown>) =>
  work.then(
    () => "valid",
    (thrown: unknown) => (thrown instanceof ReleaseError ? thrown.fault : String(thrown)),
  );

describe("the vectors of the specification", () => {
  let trust: Trust;
  beforeAll(async () => {
    trust = [await importPublicKey(spec.key)];
  });

  it.each(spec.vectors)("$name is $verdict", async ({ bundle, verdict }) => {
    expect(await faultOf(openModelSignature(encode(bundle), trust))).toBe(verdict);
  });

  it("gives the files of the valid one", async () => {
    const bundle = spec.vectors[0]?.bundle;
    expect(Object.fromEntries(await openModelSignature(encode(bundle), trust))).toEqual(spec.files);
  });

  it("refuses each valid one under another key", async () => {
    const other = [await importPublicKey((await generateKeyPair()).publicPem)];
    for (const { bundle, verdict } of spec.vectors) {
      if (verdict === "valid") {
        expect(await faultOf(openModelSignature(encode(bundle), other))).toBe("signature_untrusted");
      }
    }
  });

  it("refuses a cut one, an empty one and a certificate's", async () => {
    const bundle = spec.vectors[0]?.bundle;
    const bytes = encode(bundle);
    expect(await faultOf(openModelSignature(bytes.subarray(0, 700), trust))).toBe("signature_malformed");
    expect(await faultOf(openModelSignature(new Uint8Array(), trust))).toBe("signature_malformed");
    const certificate = { ...bundle, verificationMaterial: { x509CertificateChain: { certificates: [] } } };
    expect(await faultOf(openModelSignature(encode(certificate), trust))).toBe("signature_malformed");
  });
});

describe("signRelease", () => {
  it("signs what verifyReleaseSignature accepts, with either of two trusted keys", async () => {
    const { release, ref } = await tinyRelease();
    const [old, next] = [await generateKeyPair(), await generateKeyPair()];
    const trust = [await importPublicKey(old.publicPem), await importPublicKey(next.publicPem)];
    for (const key of [old, next]) {
      await verifyReleaseSignature(await signRelease(release, ref.digest, key), release, ref.digest, trust);
    }
    const retired = await signRelease(release, ref.digest, old);
    const rotated = [await importPublicKey(next.publicPem)];
    expect(await faultOf(verifyReleaseSignature(retired, release, ref.digest, rotated))).toBe("signature_untrusted");
  });

  it("is not valid for another release, nor for one with a file more", async () => {
    const key = await generateKeyPair();
    const trust = [await importPublicKey(key.publicPem)];
    const [one, two] = [await tinyRelease("1.0.0"), await tinyRelease("1.0.1", "weights of another encoder")];
    const signature = await signRelease(one.release, one.ref.digest, key);
    expect(await faultOf(verifyReleaseSignature(signature, two.release, two.ref.digest, trust))).toBe(
      "signature_mismatch",
    );
    const [file] = Object.values(one.release.files);
    if (file === undefined) throw new Error("the tiny release has files");
    const more = { ...one.release, files: { ...one.release.files, "extra.bin": file } };
    const digest = await releaseDigest(more);
    expect(await faultOf(verifyReleaseSignature(signature, more, digest, trust))).toBe("signature_mismatch");
  });
});

describe("ECDSA", () => {
  it("goes through PEM and back", async () => {
    const pair = await generateKeyPair();
    const key = await importPrivateKey(pair.privatePem);
    expect(key.publicPem).toBe(pair.publicPem);
    const message = new TextEncoder().encode("message");
    const trusted = await importPublicKey(key.publicPem);
    expect(await verify(trusted, await sign(key, message), message)).toBe(true);
    expect(await verify(trusted, await sign(key, message), new TextEncoder().encode("massage"))).toBe(false);
  });

  it("writes and reads DER with and without leading zeros", () => {
    for (const raw of [new Uint8Array(64).fill(0x7f), new Uint8Array(64).fill(0xff), new Uint8Array(64).fill(1, 31)]) {
      expect(derToRaw(rawToDer(raw))).toEqual(raw);
    }
  });

  it.each([
    ["nothing", []],
    ["a length that lies", [0x30, 9, 2, 1, 1, 2, 1, 1]],
    ["a negative number", [0x30, 6, 2, 1, 0x81, 2, 1, 1]],
    ["a zero in front", [0x30, 7, 2, 2, 0, 1, 2, 1, 1]],
    ["a byte behind", [0x30, 7, 2, 1, 1, 2, 1, 1, 0]],
    ["one number", [0x30, 3, 2, 1, 1]],
  ])("refuses DER with %s", (_, bytes) => {
    expect(derToRaw(new Uint8Array(bytes))).toBeNull();
  });

  it.each(["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "not a key"])(
    "refuses the key %j",
    async (pem) => {
      await expect(importPublicKey(pem)).rejects.toThrow(TypeError);
      await expect(importPrivateKey(pem)).rejects.toThrow(TypeError);
    },
  );
});
