import * as z from "zod";
import { modelNameSchema } from "./schema.ts";

/** Model -> the lowest channel sequence that a cold start accepts. */
const floorsSchema = z.record(modelNameSchema, z.int().min(1));

/**
 * Version floors from the variable `RELEASE_FLOORS`, which `fovea deploy` writes: a Worker remembers nothing from one
 * isolate to the next, so what a channel had reached at deploy time is its memory. Throws a TypeError when it is not that.
 */
export function parseFloors(text: string | undefined): ReadonlyMap<string, number> {
  if (text === undefined || text === "") return new Map();
  try {
    return new Map(Object.entries(floorsSchema.parse(JSON.parse(text))));
  } catch (cause) {
    throw new TypeError("RELEASE_FLOORS is not a JSON object of model names and sequences.", { cause });
  }
}

export function formatFloors(channels: readonly { readonly model: string; readonly sequence: number }[]): string {
  return JSON.stringify(Object.fromEntries(channels.map(({ model, sequence }) => [model, sequence])));
}
