import { defineCommand } from "citty";
import { storeArgs } from "../releases/cli/args.ts";
import { formatBytes } from "../releases/cli/format.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { parseReleaseName } from "../releases/read-release.ts";
import { verifyRelease } from "../releases/verify-release.ts";

export default defineCommand({
  meta: { name: "verify", description: "Read a release back and hash every byte of it; exit 1 when one differs" },
  args: {
    release: { type: "positional", required: true, description: "model@version" },
    output: {
      type: "string",
      valueHint: "dir",
      description: "Also write the files here, as `model_signing verify key` checks them",
    },
    ...storeArgs,
  },
  run: ({ args }) =>
    runStoreCommand(args, async ({ store, trust, progress, signal }) => {
      const result = await verifyRelease({
        ...parseReleaseName(args.release),
        store,
        trust: await trust(),
        signal,
        ...(args.output === undefined ? {} : { output: args.output }),
        onProgress: ({ doneBytes, totalBytes }) => progress.update("verify", doneBytes, totalBytes),
      });
      const { files, bytes, digest, problems } = result;
      const good = `${args.release} is whole: ${files} files, ${formatBytes(bytes)}, digest ${digest}`;
      return {
        json: { release: args.release, ok: problems.length === 0, ...result },
        text: problems.length === 0 ? good : problems.map(({ file, problem }) => `${file}: ${problem}`).join("\n"),
        exitCode: problems.length === 0 ? 0 : 1,
      };
    }),
});
