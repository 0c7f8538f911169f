import { beforeAll, describe, expect, it } from "vitest";
import { MAX_MANIFEST_BYTES } from "../limits/limits.ts";
import { canonicalBytes, type JsonValue } from "./canonical-json.ts";
import { sha256Hex } from "./digest.ts";
import { ReleaseError } from "./error.ts";
import { contractIdOf, featureIdOf } from "./identity.ts";
import { channelKey, manifestKey, modelOfChannelKey } from "./keys.ts";
import { parseRelease, releaseDigest, serializeRelease, type Release } from "./release.ts";
import { TINY_FILE, tinyRelease } from "./tiny-release.ts";

let release: Release;
beforeAll(async () => {
  ({ release } = await tinyRelease());
});

function faultOf(bytes: Uint8Array): string {
  try {
    parseRelease(bytes);
    return "accepted";
  } catch (thrown) {
    return thrown instanceof ReleaseError ? thrown.fault : String(thrown);
  }
}

/** The tiny release with its manifest changed as JSON, past every check of the types. */
function altered(change: (json: Record<string, never>) => unknown): Uint8Array {
  const json = structuredClone(release) as unknown as Record<string, never>;
  return canonicalBytes((change(json) ?? json) as JsonValue);
}

const fileWith = (name: string) =>
  altered((json) => {
    const files = json["files"] as Record<string, unknown>;
    return { ...json, files: { ...files, [name]: files[TINY_FILE] } };
  });

describe("parseRelease", () => {
  it("reads what serializeRelease wrote, and its digest is that of the bytes", async () => {
    const bytes = serializeRelease(release);
    expect(parseRelease(bytes)).toEqual(release);
    expect(await sha256Hex(bytes)).toBe(await releaseDigest(release));
  });

  it.each([
    "../secret",
    "a/../b",
    "/etc/passwd",
    "a//b",
    "a/",
    ".git/config",
    "C:\\x",
    "a\\b",
    "a\u0000b",
    "__proto__",
    "",
    "a".repeat(201),
    "a/b/c/d/e/f/g/h/i",
    "ｆile",
    "release.json",
    "model.sig",
  ])("refuses the file name %j", (name) => {
    expect(faultOf(fileWith(name))).toBe("manifest_invalid");
  });

  it("refuses two names that a file system may hold as one", () => {
    expect(faultOf(fileWith(TINY_FILE.toUpperCase()))).toBe("manifest_invalid");
    expect(faultOf(fileWith(`${TINY_FILE}/x`))).toBe("manifest_invalid");
  });

  it.each<[string, (file: { sha256: string; size: number; shards: { sha256: string; size: number }[] }) => void]>([
    ["an empty digest", (file) => (file.sha256 = "")],
    ["an empty digest of a shard", (file) => file.shards.forEach((shard) => (shard.sha256 = ""))],
    ["a digest in upper case", (file) => (file.sha256 = file.sha256.toUpperCase())],
    ["a path as a digest", (file) => file.shards.forEach((shard) => (shard.sha256 = "../../secret"))],
    ["no shards", (file) => (file.shards = [])],
    ["an empty shard", (file) => file.shards.push({ sha256: "0".repeat(64), size: 0 })],
    ["a shard of more than 8 MiB", (file) => file.shards.push({ sha256: "0".repeat(64), size: 8_388_609 })],
    ["a size that its shards do not add up to", (file) => (file.size += 1)],
    ["a size that is no whole number", (file) => (file.size = 1.5)],
    ["a size beyond what numbers count", (file) => (file.size = 2 ** 53)],
    ["a negative size", (file) => (file.size = -1)],
    [
      "one digest with two lengths",
      (file) => {
        const [first] = file.shards;
        if (first !== undefined) file.shards.push({ sha256: first.sha256, size: first.size + 1 });
        file.size += (first?.size ?? 0) + 1;
      },
    ],
  ])("refuses %s", (_, change) => {
    const bytes = altered((json) => {
      const files = json["files"] as Record<string, Parameters<typeof change>[0]>;
      const file = files[TINY_FILE];
      if (file === undefined) throw new Error("the tiny release has its file");
      change(file);
    });
    expect(faultOf(bytes)).toBe("manifest_invalid");
  });

  it.each<[string, (json: Record<string, never>) => unknown]>([
    ["an unknown member", (json) => ({ ...json, extra: 1 })],
    ["another schema", (json) => ({ ...json, schema: "fovea.release/2" })],
    ["a name with a slash", (json) => ({ ...json, name: "a/b" })],
    ["a name of two dots", (json) => ({ ...json, name: "a..b" })],
    ["a stage whose file is missing", (json) => ({ ...json, files: {} })],
    [
      "an unknown stage",
      (json) => ({ ...json, stages: { rootkit: (json["stages"] as Record<string, unknown>)["backbone"] } }),
    ],
    ["an array", () => []],
    ["null", () => JSON.parse("[null]") as unknown],
  ])("refuses %s", (_, change) => {
    expect(faultOf(altered(change))).toBe("manifest_invalid");
  });

  it("refuses what is not the canonical form", () => {
    const text = new TextDecoder().decode(serializeRelease(release));
    const encode = (value: string) => new TextEncoder().encode(value);
    expect(faultOf(encode(text))).toBe("accepted");
    expect(faultOf(encode(` ${text}`))).toBe("manifest_invalid");
    expect(faultOf(encode(`\ufeff${text}`))).toBe("manifest_invalid");
    expect(faultOf(encode(text.replace("{", '{"name":"tiny",')))).toBe("manifest_invalid");
    expect(faultOf(encode("<!doctype html><title>503</title>"))).toBe("manifest_invalid");
    expect(faultOf(new Uint8Array([0xff, 0xfe]))).toBe("manifest_invalid");
    expect(faultOf(new Uint8Array())).toBe("manifest_invalid");
  });

  it("refuses more than 1 MiB unread, and a newer runtime by name", () => {
    expect(faultOf(new Uint8Array(MAX_MANIFEST_BYTES + 1))).toBe("manifest_too_large");
    expect(faultOf(altered((json) => ({ ...json, minimumRuntime: "99.0.0", more: true })))).toBe("runtime_too_old");
  });
});

describe("feature id and contract id", () => {
  it("follow content, not names", async () => {
    const id = await featureIdOf(release);
    expect(await featureIdOf({ ...release, stages: { ...release.stages } })).toBe(id);
    const other = await tinyRelease("1.0.0", "weights of another encoder");
    expect(await featureIdOf(other.release)).not.toBe(id);
    expect(await contractIdOf(release, id)).toBe(release.contractId);
    expect(await contractIdOf(release, other.release.featureId)).not.toBe(release.contractId);
    expect(await contractIdOf(other.release, id)).not.toBe(release.contractId);
  });
});

describe("keys", () => {
  it.each(["../x", "a/b", "", "a..b", ".a", "a".repeat(65)])("never come from the name %j", (name) => {
    expect(() => manifestKey(name, "1.0.0")).toThrow(ReleaseError);
    expect(() => manifestKey("tiny", name.slice(0, 60).padEnd(name.length, "x") || "")).toThrow(ReleaseError);
  });

  it("give a channel's model back", () => {
    expect(modelOfChannelKey(channelKey("moji-vlm-9m", "production"), "production")).toBe("moji-vlm-9m");
    expect(modelOfChannelKey("channels/production/a/b.json", "production")).toBeNull();
    expect(modelOfChannelKey("channels/staging/a.json", "production")).toBeNull();
  });
});
