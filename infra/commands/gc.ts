import { defineCommand } from "citty";
import { GC_GRACE_MS } from "../../shared/limits/releases.ts";
import { storeArgs } from "../releases/cli/args.ts";
import { formatBytes } from "../releases/cli/format.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { collectGarbage } from "../releases/collect-garbage.ts";
import { wholeNumber } from "../usage.ts";

const HOUR_MS = 3_600_000;

export default defineCommand({
  meta: { name: "gc", description: "Remove releases that no channel names, and shards that no release names" },
  args: {
    "dry-run": { type: "boolean", description: "Say what would go, remove nothing" },
    keep: {
      type: "string",
      default: "3",
      valueHint: "3",
      description: "Newest releases of each model that stay anyway",
    },
    grace: {
      type: "string",
      default: String(GC_GRACE_MS / HOUR_MS),
      valueHint: "hours",
      description: "Younger objects stay: a publish may be running",
    },
    ...storeArgs,
  },
  run: ({ args }) =>
    runStoreCommand(args, async ({ store, trust }) => {
      const dryRun = args["dry-run"] === true;
      const result = await collectGarbage({
        store,
        trust: await trust(),
        dryRun,
        keep: wholeNumber("keep", args.keep, 1, 1000),
        graceMs: wholeNumber("grace", args.grace, 0, 10_000) * HOUR_MS,
      });
      const verb = dryRun ? "would remove" : "removed";
      return {
        json: { dryRun, ...result },
        text: [
          ...result.releases.map((name) => `${verb} ${name}`),
          `${verb} ${result.blobs} shards, ${formatBytes(result.bytes)}; ${result.keptReleases.length} releases stay`,
        ].join("\n"),
      };
    }),
});
