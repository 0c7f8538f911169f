import { defineCommand } from "citty";
import { measureRelease } from "../measure/measure-release.ts";
import { keyArgs, storeArgs, type StoreArgs } from "../releases/cli/args.ts";
import { formatBytes } from "../releases/cli/format.ts";
import { checkReleaseName } from "../releases/cli/names.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { hashRelease } from "../releases/hash-release.ts";
import { readHubFolder } from "../releases/hub-folder.ts";
import { planRelease } from "../releases/plan-release.ts";
import { publishPlanned } from "../releases/publish-release.ts";
import { quote } from "../quote.ts";
import { publishedStages } from "../releases/read-release.ts";

export default defineCommand({
  meta: { name: "publish", description: "Upload a model folder as an immutable release" },
  args: {
    folder: { type: "positional", required: true, description: "Model folder in the layout of the Hugging Face hub" },
    model: { type: "string", required: true, valueHint: "name", description: "What clients write in `model`" },
    version: {
      type: "string",
      required: true,
      valueHint: "1.0.0",
      description: "Taken versions cannot be published again",
    },
    dtype: {
      type: "string",
      valueHint: "q8|stage=q8,...",
      description: "Weights to take: fp32, fp16, q8, int8, uint8, q4, q4f16 (default: the most exact there are)",
    },
    license: {
      type: "string",
      valueHint: "SPDX",
      description: "Licence of the weights (default: what the model card says)",
    },
    encoder: {
      type: "enum",
      options: ["auto", "edge"],
      default: "auto",
      description: "edge refuses an encoder that does not fit its isolate; auto places it at the origin",
    },
    measure: { type: "boolean", description: "Load and run each stage, and place the encoder by what it takes" },
    ...storeArgs,
    ...keyArgs,
  },
  run: ({ args }) =>
    runStoreCommand(
      args,
      async ({ store, signingKey, progress, signal }) => {
        const { model, version, dtype, license, encoder } = args;
        checkReleaseName(model, version);
        const estimated = await planRelease(args.folder, {
          encoder: args.measure === true ? "auto" : encoder,
          ...(dtype === undefined ? {} : { dtype }),
          ...(license === undefined ? {} : { license }),
        });
        const onHashed = (done: number, total: number): void => {
          signal.throwIfAborted();
          progress.update("hash", done, total);
        };
        const release = await hashRelease(estimated, { model, version, onHashed });
        const { files } = release;
        const stages = await publishedStages(store, release);
        let planned = { ...estimated, stages: stages ?? estimated.stages };
        if (args.measure === true && stages === null) {
          const onStage = (what: string): void => progress.note(`measuring ${what} ...`);
          const folder = await readHubFolder(args.folder);
          ({ planned } = await measureRelease(estimated, folder, { place: encoder, files, onStage }));
        }
        const result = await publishPlanned(planned, {
          model,
          version,
          files,
          store,
          key: await signingKey(),
          signal,
          onProgress: ({ phase, doneBytes, totalBytes }) => progress.update(phase, doneBytes, totalBytes),
        });
        const { digest, uploadedShards, uploadedBytes, totalBytes, created } = result;
        return {
          json: { model, version, digest, created, totalBytes, uploadedShards, uploadedBytes },
          text: [
            `${created ? "published" : "already published"} ${model}@${version}`,
            `  digest    ${digest}`,
            `  size      ${formatBytes(totalBytes)}`,
            `  uploaded  ${uploadedShards} shards, ${formatBytes(uploadedBytes)}`,
            `next: ${promotion(`${model}@${version}`, args)}`,
          ].join("\n"),
        };
      },
      { create: true },
    ),
});

/** The command that lets the release be served: the local stage by `npm start`'s store, else staging first. */
function promotion(release: string, { store, dir, endpoint, key, unsigned }: StoreArgs): string {
  const given = Object.entries({ store, dir, endpoint, key }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
  const channel = store === undefined ? "local" : "staging";
  const words = [
    "fovea",
    "promote",
    release,
    "--channel",
    channel,
    ...given,
    ...(unsigned === true ? ["--unsigned"] : []),
  ];
  return words.map(quote).join(" ");
}
