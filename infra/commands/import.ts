import { existsSync } from "node:fs";
import path from "node:path";
import { defineCommand } from "citty";
import { importModel, type Imported } from "../import/import-model.ts";
import { keyArgs, storeArgs } from "../releases/cli/args.ts";
import { UsageError } from "../usage.ts";
import { formatBytes, formatTable } from "../releases/cli/format.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";

export default defineCommand({
  meta: { name: "import", description: "Check a model folder, publish it, and serve it in the local stage" },
  args: {
    dir: { type: "positional", required: true, description: "Model folder in the layout of the Hugging Face hub" },
    model: {
      type: "string",
      valueHint: "name",
      description: "What clients write in `model` (default: the folder's name)",
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
      if (!existsSync(args.dir)) {
        throw new UsageError(
          `there is no folder ${args.dir}. A model of the hub is downloaded first, with its onnx/ folder`,
        );
      }
      const model = args.model ?? path.basename(path.resolve(args.dir));
      const imported = await importModel(args.dir, {
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
      const { release, digest, version, picture, created } = imported;
      const { license, stages } = release;
      return { json: { model, version, digest, created, license, stages, picture }, text: describe(imported) };
    }),
});

function describe({ release, digest, totalBytes, picture }: Imported): string {
  const stages = Object.entries(release.stages).map(([name, { placement, dtype, memoryBytes }]) => [
    `  ${name}`,
    placement,
    dtype,
    formatBytes(memoryBytes),
  ]);
  const lines = [
    `${release.name}@${release.version} is served on the local channel`,
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
