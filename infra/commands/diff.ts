import { defineCommand } from "citty";
import { storeArgs } from "../releases/cli/args.ts";
import { formatBytes } from "../releases/cli/format.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { diffReleases } from "../releases/diff-releases.ts";
import { parseReleaseName, readRelease } from "../releases/read-release.ts";

export default defineCommand({
  meta: { name: "diff", description: "Show what a rollout from one release to another would upload and change" },
  args: {
    from: { type: "positional", required: true, description: "model@version that serves" },
    to: { type: "positional", required: true, description: "model@version that would serve" },
    ...storeArgs,
  },
  run: ({ args }) =>
    runStoreCommand(args, async ({ store }) => {
      const [a, b] = [parseReleaseName(args.from), parseReleaseName(args.to)];
      const [from, to] = [await readRelease(store, a.model, a.version), await readRelease(store, b.model, b.version)];
      const diff = diffReleases(from.release, to.release);
      const files = [
        ...diff.added.map((name) => `  + ${name}`),
        ...diff.removed.map((name) => `  - ${name}`),
        ...diff.changed.map((name) => `  ~ ${name}`),
      ];
      const contract = diff.contractChanges ? "changes: edge and origin must both reach the new release" : "stays";
      return {
        json: { from: args.from, to: args.to, ...diff },
        text: [
          files.length === 0 ? "no file differs" : files.join("\n"),
          `new       ${diff.newShards} shards, ${formatBytes(diff.newBytes)} (${formatBytes(diff.sharedBytes)} are shared)`,
          `stages    ${diff.stages.join(", ") || "none changes"}`,
          `features  ${diff.featuresChange ? "change: cached ones are of no use" : "stay"}`,
          `contract  ${contract}`,
        ].join("\n"),
      };
    }),
});
