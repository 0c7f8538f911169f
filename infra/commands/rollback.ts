import { defineCommand } from "citty";
import { keyArgs, storeArgs } from "../releases/cli/args.ts";
import { channelArgs, checkChannel } from "../releases/cli/channels.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { rollbackRelease } from "../releases/promote-release.ts";

export default defineCommand({
  meta: { name: "rollback", description: "End a channel's canary, or return to its stable release before this one" },
  args: {
    model: { type: "positional", required: true, description: "Name of the model" },
    ...channelArgs,
    ...storeArgs,
    ...keyArgs,
  },
  run: ({ args }) =>
    runStoreCommand(args, async ({ store, trust, signingKey }) => {
      const { model, channel } = args;
      await checkChannel(store, channel);
      const document = await rollbackRelease({ model, channel, store, trust: await trust(), key: await signingKey() });
      const { stable, retired, sequence } = document;
      const left = retired === null ? "" : `, ${retired.version} is withdrawn`;
      return { json: document, text: `${channel} of ${model}: ${stable.version}${left} (sequence ${sequence})` };
    }),
});
