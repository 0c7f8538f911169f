import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { s3Store } from "../../infra/store/s3-store.ts";
import { readMirror, mirrorSource } from "../../shared/releases/mirror-source.ts";
import { ShardReader } from "../../shared/releases/shard-reader.ts";
import { TINY_FILE, tinyRelease, type TinyRelease } from "../../shared/releases/tiny-release.ts";
import { startMiniflareS3, type S3Server } from "./s3-servers.ts";

let server: S3Server;
let tiny: TinyRelease;

beforeAll(async () => {
  server = await startMiniflareS3();
  tiny = await tinyRelease();
  const store = s3Store(server.bucket, server.options);
  for (const [key, bytes] of tiny.objects) await store.put(key, bytes);
  store.close();
});
afterAll(() => server.close());

/** Reads the tiny release's file from the private bucket alone; the file's text, or the faults that were said. */
async function readWith(credentials: string | undefined): Promise<string | readonly string[]> {
  const { endpoint } = server.options;
  const mirror = readMirror({ MIRROR_URL: `${endpoint}/${server.bucket}`, MIRROR_CREDENTIALS: credentials });
  if (mirror === null) throw new Error("a mirror was named");
  const file = tiny.release.files[TINY_FILE];
  if (file === undefined) throw new Error("the tiny release has its file");
  const faults = new Set<string>();
  const reader = new ShardReader([mirrorSource(mirror)], { onFault: ({ fault }) => faults.add(fault) });
  const bytes = await reader.file(file).catch(() => null);
  return bytes === null ? [...faults] : new TextDecoder().decode(bytes);
}

describe("a private S3 bucket as the mirror", () => {
  it("gives verified shards to the right key", async () => {
    const { accessKeyId, secretAccessKey } = server.options;
    expect(await readWith(`${accessKeyId}:${secretAccessKey}`)).toBe("weights of a tiny encoder");
  });

  it("gives nothing to a wrong key or to none, and the fault says so", async () => {
    const { accessKeyId, secretAccessKey } = server.options;
    expect(await readWith(`${accessKeyId}:not-the-secret`)).toEqual(["shard_unreadable"]);
    expect(await readWith(`nobody:${secretAccessKey}`)).toEqual(["shard_unreadable"]);
    expect(await readWith(undefined)).toEqual(["shard_unreadable"]);
  });

  it("answers 404 for a key that is not there", async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server.options;
    const source = mirrorSource({
      baseUrl: `${endpoint}/${server.bucket}/`,
      credentials: { accessKeyId, secretAccessKey },
    });
    expect(await source.get("channels/production/nobody.json")).toBeNull();
  });
});
