import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { sealChannel, type ChannelDocument } from "../../../shared/releases/channel.ts";
import { generateKeyPair, importPublicKey } from "../../../shared/releases/ecdsa.ts";
import { channelKey } from "../../../shared/releases/keys.ts";
import { listModels } from "./list-models.ts";

const bucket = (env as unknown as { RELEASES: R2Bucket }).RELEASES;

const document = (model: string): ChannelDocument => ({
  schema: "fovea.channel/1",
  model,
  channel: "production",
  sequence: 1,
  issuedAt: "2026-01-01T00:00:00.000Z",
  expiresAt: "2026-04-01T00:00:00.000Z",
  stable: { version: "1.0.0", digest: "a".repeat(64) },
  canary: null,
  retired: null,
  history: [],
});

describe("listModels", () => {
  it("lists what the channel serves, and leaves out what does not open", async () => {
    const key = await generateKeyPair();
    const trust = [await importPublicKey(key.publicPem)];
    await bucket.put(channelKey("tiny", "production"), await sealChannel(document("tiny"), key));
    await bucket.put(channelKey("forged", "production"), await sealChannel(document("forged"), null));
    await bucket.put(channelKey("moved", "production"), await sealChannel(document("tiny"), key));
    await bucket.put("channels/production/notes.txt", "x");
    expect(await listModels(bucket, "production", trust)).toEqual([
      { id: "tiny", created: Date.parse("2026-01-01T00:00:00.000Z") / 1000, version: "1.0.0" },
    ]);
    expect(await listModels(bucket, "staging", trust)).toEqual([]);
  });
});
