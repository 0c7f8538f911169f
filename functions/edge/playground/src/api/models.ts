import * as z from "zod/mini";
import { throwUnlessOk } from "./error.ts";

const modelList = z.object({ data: z.array(z.object({ id: z.string() })) });

/**
 * `GET /v1/models`: the names that `model` may take.
 * @throws ApiError when the API refuses, e.g. an unknown key
 */
export async function listModels(apiKey: string): Promise<string[]> {
  const response = await fetch("/v1/models", { headers: { authorization: `Bearer ${apiKey}` } });
  await throwUnlessOk(response);
  return modelList.parse(await response.json()).data.map((model) => model.id);
}
