import path from "node:path";
import { LOCAL_CHANNEL } from "../../infra/local/publish-builtin.ts";
import type { Stack } from "../../infra/local/stack.ts";
import { promoteRelease } from "../../infra/releases/promote-release.ts";
import { planRelease } from "../../infra/releases/plan-release.ts";
import { publishPlanned } from "../../infra/releases/publish-release.ts";
import { openStore } from "../../infra/store/open-store.ts";
import type { Release } from "../../shared/releases/release.ts";
import { ZOO } from "./models.ts";

/** Publishes a zoo model under `name` and promotes it, its encoder placed as asked. */
export async function publishFamily(
  s3: Stack["s3"],
  family: string,
  name: string,
  placement: "edge" | "origin",
): Promise<Release> {
  const store = await openStore(`s3://${s3.bucket}`, s3);
  try {
    const planned = await planRelease(path.join(ZOO, family));
    const encoder = planned.stages.vision_encoder;
    const stages =
      encoder === undefined ? planned.stages : { ...planned.stages, vision_encoder: { ...encoder, placement } };
    const { release } = await publishPlanned({ ...planned, stages }, { model: name, version: "1", store });
    await promoteRelease({ model: name, version: "1", channel: LOCAL_CHANNEL, store, key: null, trust: "unsigned" });
    return release;
  } finally {
    store.close();
  }
}
