import { existsSync } from "node:fs";
import { defineCommand } from "citty";
import { HubModel, isRepositoryName, type HubModelOptions } from "../hub/hub-model.ts";
import { hubSettings } from "../hub/settings.ts";
import { importModel, type Imported } from "../import/import-model.ts";
import { localModel, type ModelSource } from "../import/model-source.ts";
import { keyArgs, storeArgs } from "../releases/cli/args.ts";
import { UsageError } from "../usage.ts";
import { formatBytes, formatTable } from "../releases/cli/format.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";

export default defineCommand({
  meta: {
    name: "import",
    description: "Bring a model from the hub or a folder, check it, publish it, and serve it in the local stage",
  },
  args: {
    source: {
      type: "positional",
      required: true,
      valueHint: "org/name|folder",
      description: "Model of the Hugging Face hub (HF_ENDPOINT, HF_TOKEN, HF_HOME count), or a folder in its layout",
    },
    revision: { type: "string", default: "main", description: "Branch, tag or commit of a model of the hub" },
    model: {
      type: "string",
      valueHint: "name",
      description: "What clients write in `model` (default: the model's or folder's name)",
    },
    version: { type: "string", valueHint: "1.0.0", description: "Default: named by the content" },
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
    ...storeArgs,
    ...keyArgs,
  },
  run: ({ args }) =>
    runStoreCommand(args, async ({ store, trust, signingKey, progress, signal }) => {
      const onProgress = progress.update.bind(progress, "download");
      const source = await openSource(args.source, { revision: args.revision, signal, onProgress });
      const model = args.model ?? source.name;
      const imported = await importModel(source, {
        model,
        version: args.version,
        dtype: args.dtype,
        place: args.place,
        store,
        key: await signingKey(),
        trust: await trust(),
        signal,
        onProgress: ({ phase, doneBytes, totalBytes }) => progress.update(phase, doneBytes, totalBytes),
      });
      const { release, digest, from, version, picture, created } = imported;
      const { license, stages } = release;
      return { json: { model, from, version, digest, created, license, stages, picture }, text: describe(imported) };
    }),
});

/** A folder when there is one of that name, else a model of the hub. */
async function openSource(name: string, options: Omit<HubModelOptions, "endpoint">): Promise<ModelSource> {
  if (existsSync(name)) return localModel(name);
  if (isRepositoryName(name)) return HubModel.open(name, { ...hubSettings(process.env), ...options });
  throw new UsageError(`there is no folder ${name}, and a model of the hub is named org/name`);
}

function describe({ release, from, digest, totalBytes, picture }: Imported): string {
  const stages = Object.entries(release.stages).map(([name, { placement, dtype, memoryBytes }]) => [
    `  ${name}`,
    placement,
    dtype,
    formatBytes(memoryBytes),
  ]);
  const lines = [
    `${release.name}@${release.version} is served on the local channel`,
    `  from     ${from}`,
    `  digest   ${digest}`,
    `  size     ${formatBytes(totalBytes)}`,
    `  licence  ${release.license}`,
    formatTable([["  stage", "runs at", "dtype", "memory (estimate)"], ...stages]),
  ];
  if (picture !== null) {
    const { imageTokens, featureBytes, pixelBytes, where, reason } = picture;
    lines.push(
      `  a picture of 640 x 480: ${imageTokens} tokens, ${formatBytes(featureBytes)} as features, ${formatBytes(pixelBytes)} as pixels`,
      `  encoded at the ${where}: ${reason}`,
    );
  }
  return lines.join("\n");
}
