import { defineCommand } from "citty";
import { keyArgs, storeArgs } from "../releases/cli/args.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { rollbackRelease } from "../releases/promote-release.ts";

export default defineCommand({
  meta: { name: "rollback", description: "End a channel's canary, or return to its stable release before this one" },
  args: {
    model: { type: "positional", required: true, description: "Name of the model" },
    channel: { type: "string", required: true, valueHint: "staging|production", description: "Channel to change" },
    ...storeArgs,
    ...keyArgs,
  },
  run: ({ args }) =>
    runStoreCommand(args, async ({ store, trust, signingKey }) => {
      const { model, channel } = args;
      const document = await rollbackRelease({ model, channel, store, trust: await trust(), key: await signingKey() });
      const { stable, retired, sequence } = document;
      const left = retired === null ? "" : `, ${retired.version} is withdrawn`;
      return { json: document, text: `${channel} of ${model}: ${stable.version}${left} (sequence ${sequence})` };
    }),
});
