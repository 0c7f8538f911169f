import { createSignature } from "http-message-sig";
import { describe, expect, it } from "vitest";
import { FoveaError } from "../errors/error.ts";
import { checkContentDigest, contentDigest } from "./digest.ts";
import { hmac, importSigningKey, importSigningKeys, type SigningKey } from "./keys.ts";
import { NonceCache } from "./nonces.ts";
import { signedHeaders } from "./sign.ts";
import { verifyRequest } from "./verify.ts";

const url = "http://127.0.0.1:8788/v1/generate";
const body = new Uint8Array(new TextEncoder().encode("a frame"));
const secret = btoa("x".repeat(32));
const contentType = "application/vnd.fovea.frame";

async function signed(key: SigningKey): Promise<Headers> {
  return signedHeaders({ method: "POST", url, contentType, body }, key);
}

describe("RFC 9421 vectors", () => {
  it("signs B.2.5 (hmac-sha256) to the RFC's own bytes", async () => {
    // RFC 9421, appendix B.1.5 (test-shared-secret) and B.2.5.
    const shared = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    const raw = Uint8Array.from(atob(shared), (char) => char.charCodeAt(0));
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    const fields = await createSignature(
      {
        kind: "request",
        method: "POST",
        targetUri: "https://example.com/foo?param=Value&Pet=dog",
        fields: [
          { name: "date", value: "Tue, 20 Apr 2021 02:07:55 GMT" },
          { name: "content-type", value: "application/json" },
        ],
      },
      {
        label: "sig-b25",
        components: ["date", "@authority", "content-type"],
        parameters: { created: 1618884473, keyid: "test-shared-secret" },
        signer: hmac(key).signer,
      },
    );
    expect(fields.signature).toBe("sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:");
  });

  it("digests RFC 9530's example body", async () => {
    const example = new Uint8Array(new TextEncoder().encode('{"hello": "world"}\n'));
    expect(await contentDigest(example)).toBe("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
  });
});

describe("verifyRequest", () => {
  it("accepts what was signed, once", async () => {
    const key = await importSigningKey("a", secret);
    const headers = await signed(key);
    const nonces = new NonceCache();
    await verifyRequest({ method: "POST", url, headers }, [key], nonces);
    await expect(verifyRequest({ method: "POST", url, headers }, [key], nonces)).rejects.toThrow("used before");
  });

  it("accepts the older of two keys while one is being replaced", async () => {
    const keys = await importSigningKeys(`new:${btoa("y".repeat(32))},old:${secret}`);
    const headers = await signed(await importSigningKey("old", secret));
    await expect(verifyRequest({ method: "POST", url, headers }, keys, new NonceCache())).resolves.toBeUndefined();
  });

  const spoilt: [string, (headers: Headers) => { method?: string; url?: string; now?: number } | void][] = [
    ["no signature", (headers) => headers.delete("signature")],
    ["another method", () => ({ method: "PUT" })],
    ["another host", () => ({ url: "http://127.0.0.2:8788/v1/generate" })],
    ["another path", () => ({ url: "http://127.0.0.1:8788/v1/other" })],
    ["another query", () => ({ url: `${url}?x=1` })],
    ["another digest", (headers) => headers.set("content-digest", "sha-256=:AAAA:")],
    ["another type", (headers) => headers.set("content-type", "text/plain")],
    ["62 seconds old", () => ({ now: Math.floor(Date.now() / 1000) + 62 })],
    ["from the future", () => ({ now: Math.floor(Date.now() / 1000) - 7 })],
    [
      "fewer components covered",
      (headers) => {
        const input = headers.get("signature-input") ?? "";
        headers.set("signature-input", input.replace(' "content-digest"', ""));
      },
    ],
    ["garbage", (headers) => headers.set("signature-input", "sig1=((((")],
  ];
  it.each(spoilt)("refuses: %s", async (_name, spoil) => {
    const key = await importSigningKey("a", secret);
    const headers = await signed(key);
    const change = spoil(headers) ?? {};
    const request = { method: change.method ?? "POST", url: change.url ?? url, headers };
    const verdict = verifyRequest(request, [key], new NonceCache(), change.now);
    await expect(verdict).rejects.toMatchObject({ code: "invalid_signature" });
  });

  it("refuses an unknown key id and a wrong secret", async () => {
    const headers = await signed(await importSigningKey("a", secret));
    const other = await importSigningKey("a", btoa("z".repeat(32)));
    const renamed = await importSigningKey("b", secret);
    for (const key of [other, renamed]) {
      await expect(verifyRequest({ method: "POST", url, headers }, [key], new NonceCache())).rejects.toBeInstanceOf(
        FoveaError,
      );
    }
  });

  it("ties the body to the headers", async () => {
    const headers = await signed(await importSigningKey("a", secret));
    await expect(checkContentDigest(headers, body)).resolves.toBeUndefined();
    await expect(checkContentDigest(headers, body.slice(1))).rejects.toMatchObject({ code: "invalid_signature" });
  });
});

describe("NonceCache", () => {
  it("forgets what is too old to be accepted", () => {
    const nonces = new NonceCache();
    expect(nonces.use("n", 1000)).toBe(true);
    expect(nonces.use("n", 1064)).toBe(false);
    expect(nonces.use("m", 1066)).toBe(true);
    expect(nonces.size).toBe(1);
  });
});

describe("importSigningKey", () => {
  it("refuses short and malformed secrets", async () => {
    await expect(importSigningKey("a", btoa("short"))).rejects.toThrow("openssl rand");
    await expect(importSigningKey("a", "%%%")).rejects.toThrow("base64");
    await expect(importSigningKeys("nocolon")).rejects.toThrow("keyid:base64secret");
  });
});
