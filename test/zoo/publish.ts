import { importModel } from "../../infra/import/import-model.ts";
import { localModel } from "../../infra/import/model-source.ts";
import type { Stack } from "../../infra/local/stack.ts";
import { openStore } from "../../infra/store/open-store.ts";
import type { Placement } from "./ask-all.ts";
import type { ZooModel } from "./models.ts";

/** Publishes a zoo model under the name `model` as `fovea import` does, its encoder placed as asked. */
export async function publishModel(
  s3: Stack["s3"],
  { directory }: ZooModel,
  model: string,
  place: Placement,
): Promise<void> {
  const store = await openStore(`s3://${s3.bucket}`, s3);
  try {
    await importModel(localModel(directory), { model, store, place, measure: false, key: null, trust: "unsigned" });
  } finally {
    store.close();
  }
}
