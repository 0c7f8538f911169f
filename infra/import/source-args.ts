import { existsSync } from "node:fs";
import type { ArgsDef } from "citty";
import { HubModel, isRepositoryName, type HubModelOptions } from "../hub/hub-model.ts";
import { hubSettings } from "../hub/settings.ts";
import { UsageError } from "../usage.ts";
import { localModel, type ModelSource } from "./model-source.ts";

/** Arguments of commands that take a model from the hub or a folder. */
export const sourceArgs = {
  source: {
    type: "positional",
    required: true,
    valueHint: "org/name|folder",
    description: "Model of the Hugging Face hub (HF_ENDPOINT, HF_TOKEN, HF_HOME count), or a folder in its layout",
  },
  revision: { type: "string", default: "main", description: "Branch, tag or commit of a model of the hub" },
  dtype: {
    type: "string",
    valueHint: "q8|stage=q8,...",
    description: "Weights to take: fp32, fp16, q8, int8, uint8, q4, q4f16 (default: the most exact there are)",
  },
  place: {
    type: "enum",
    options: ["auto", "edge", "origin"],
    default: "auto",
    description: "Where pictures are encoded; auto: at the edge when the encoder fits its isolate",
  },
  measure: {
    type: "boolean",
    default: true,
    description: "Load and run each stage, to place by what it takes",
    negativeDescription: "Place by an estimate of memory, without running anything",
  },
  picture: {
    type: "string",
    valueHint: "photo.jpg",
    description: "Picture to reckon with (default: a JPEG of 336 x 396)",
  },
} as const satisfies ArgsDef;

/** A folder when there is one of that name, else a model of the hub. */
export async function openSource(name: string, options: Omit<HubModelOptions, "endpoint">): Promise<ModelSource> {
  if (existsSync(name)) return localModel(name);
  if (isRepositoryName(name)) return HubModel.open(name, { ...hubSettings(process.env), ...options });
  throw new UsageError(`there is no folder ${name}, and a model of the hub is named org/name`);
}
