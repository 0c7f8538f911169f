import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { LISTED_MODEL_READS } from "../../../shared/limits/releases.ts";
import { sealChannel, type ChannelDocument } from "../../../shared/releases/channel.ts";
import { generateKeyPair, importPublicKey } from "../../../shared/releases/ecdsa.ts";
import { channelKey } from "../../../shared/releases/keys.ts";
import { findModel, listModels } from "./list-models.ts";

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

  it("finds every model that lists of any length leave out or show, and reads a few at a time", async () => {
    const key = await generateKeyPair();
    const trust = [await importPublicKey(key.publicPem)];
    const names = Array.from({ length: 40 }, (_, i) => `model-${String(i).padStart(2, "0")}`);
    for (const name of names) {
      await bucket.put(channelKey(name, "staging"), await sealChannel({ ...document(name), channel: "staging" }, key));
    }
    let [reading, most] = [0, 0];
    const counting = new Proxy(bucket, {
      get(target, name) {
        if (name === "list") return target.list.bind(target);
        return async (at: string) => {
          reading += 1;
          most = Math.max(most, reading);
          return target.get(at).finally(() => (reading -= 1));
        };
      },
    });
    expect((await listModels(counting, "staging", trust)).map(({ id }) => id)).toEqual(names);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(LISTED_MODEL_READS);
    expect(await findModel(bucket, "staging", trust, "model-39")).toMatchObject({ id: "model-39", version: "1.0.0" });
    for (const other of ["model-40", "../production/tiny", "", "__proto__"]) {
      expect(await findModel(bucket, "staging", trust, other)).toBeNull();
    }
    expect(await findModel(bucket, "staging", [], "model-39")).toBeNull();
  });
});
