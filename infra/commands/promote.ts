import { defineCommand } from "citty";
import { keyArgs, storeArgs } from "../releases/cli/args.ts";
import { channelArgs, checkChannel } from "../releases/cli/channels.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { promoteRelease } from "../releases/promote-release.ts";
import { parseReleaseName } from "../releases/read-release.ts";
import { wholeNumber } from "../usage.ts";

export default defineCommand({
  meta: { name: "promote", description: "Point a channel at a published release" },
  args: {
    release: { type: "positional", required: true, description: "model@version" },
    ...channelArgs,
    new: { type: "boolean", description: "Make the channel, of a name of your own, when the store has none of it" },
    canary: {
      type: "string",
      valueHint: "10",
      description: "Percent of callers that get it, beside the stable release",
    },
    ...storeArgs,
    ...keyArgs,
  },
  run: ({ args }) =>
    runStoreCommand(args, async ({ store, trust, signingKey }) => {
      const percent = args.canary === undefined ? null : wholeNumber("canary", args.canary, 1, 99);
      await checkChannel(store, args.channel, args.new === true ? "new" : "existing");
      const document = await promoteRelease({
        ...parseReleaseName(args.release),
        channel: args.channel,
        store,
        trust: await trust(),
        key: await signingKey(),
        ...(percent === null ? {} : { canary: percent }),
      });
      const { stable, canary, sequence } = document;
      const beside = canary === null ? "" : `, ${canary.release.version} for ${canary.percent} % of the callers`;
      return {
        json: document,
        text: `${document.channel} of ${document.model}: ${stable.version}${beside} (sequence ${sequence})`,
      };
    }),
});
