import { defineCommand } from "citty";
import { describePicture, describeStages } from "../import/describe.ts";
import { importModel, type Imported } from "../import/import-model.ts";
import { openSource, sourceArgs } from "../import/source-args.ts";
import { keyArgs, storeArgs } from "../releases/cli/args.ts";
import { formatBytes } from "../releases/cli/format.ts";
import { checkReleaseName } from "../releases/cli/names.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";

export default defineCommand({
  meta: {
    name: "import",
    description: "Bring a model from the hub or a folder, check it, publish it, and serve it in the local stage",
  },
  args: {
    ...sourceArgs,
    model: {
      type: "string",
      valueHint: "name",
      description: "What clients write in `model` (default: the model's or folder's name)",
    },
    version: { type: "string", valueHint: "1.0.0", description: "Default: named by the content" },
    ...storeArgs,
    ...keyArgs,
  },
  run: ({ args }) =>
    runStoreCommand(
      args,
      async ({ store, trust, signingKey, progress, signal }) => {
        const source = await openSource(args.source, {
          revision: args.revision,
          signal,
          onProgress: (done, total) => progress.update("download", done, total),
        });
        const model = args.model ?? source.name;
        checkReleaseName(model, args.version);
        const imported = await importModel(source, {
          model,
          version: args.version,
          dtype: args.dtype,
          place: args.place,
          measure: args.measure,
          picture: args.picture,
          store,
          key: await signingKey(),
          trust: await trust(),
          signal,
          onStage: (what) => progress.note(`measuring ${what} ...`),
          onHashed: (done, total) => {
            signal.throwIfAborted();
            progress.update("hash", done, total);
          },
          onProgress: ({ phase, doneBytes, totalBytes }) => progress.update(phase, doneBytes, totalBytes),
        });
        const { release, digest, from, version, figures, encoderAtEdge, picture, created } = imported;
        const { license, stages } = release;
        const json = { model, from, version, digest, created, license, stages, figures, encoderAtEdge, picture };
        return { json, text: describe(imported) };
      },
      { create: true },
    ),
});

function describe(imported: Imported): string {
  const { release, from, digest, totalBytes } = imported;
  return [
    `${release.name}@${release.version} is served on the local channel`,
    `  from     ${from}`,
    `  digest   ${digest}`,
    `  size     ${formatBytes(totalBytes)}`,
    `  licence  ${release.license}`,
    describeStages(imported),
    ...describePicture(imported),
  ].join("\n");
}
