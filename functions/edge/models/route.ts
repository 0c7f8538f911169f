import { Hono } from "hono";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { ModelObject } from "../../../shared/openai/completion.ts";
import type { EdgeEnv } from "../context.ts";
import { only } from "../middleware/only.ts";
import { bucketOf } from "../releases-of.ts";
import { findModel, listModels, type ListedModel } from "../releases/list-models.ts";

/** `GET /v1/models`, `GET /v1/models/{id}`: what the channel serves. */
export const models = new Hono<EdgeEnv>()
  .get("/", async (c) => {
    const { channel, trust } = c.get("settings");
    const listed = await listModels(bucketOf(c.env), channel, trust);
    return c.json({ object: "list", data: listed.map(toModelObject) });
  })
  .get("/:id", async (c) => {
    const id = c.req.param("id");
    const { channel, trust } = c.get("settings");
    const found = await findModel(bucketOf(c.env), channel, trust, id);
    if (found === null) {
      throw new FoveaError("model_not_found", `The model \`${id.slice(0, 64)}\` does not exist.`, { param: "model" });
    }
    return c.json(toModelObject(found));
  })
  .all("/", only("GET, HEAD"))
  .all("/:id", only("GET, HEAD"));

function toModelObject({ id, created }: ListedModel): ModelObject {
  return { id, object: "model", created, owned_by: "fovea" };
}
