import { defineCommand } from "citty";
import { storeArgs } from "../releases/cli/args.ts";
import { formatBytes, formatTable } from "../releases/cli/format.ts";
import { runStoreCommand } from "../releases/cli/run-command.ts";
import { readInventory, sharedBytes, storedBytes } from "../releases/inventory.ts";

export default defineCommand({
  meta: { name: "list", description: "Show channels and releases of a store" },
  args: storeArgs,
  run: ({ args }) =>
    runStoreCommand(args, async ({ store, trust }) => {
      const { channels, releases, broken } = await readInventory(store, await trust());
      const all = releases.map(({ release }) => release);
      const listed = releases.map(({ model, version, digest, release, signed, modifiedAt }) => ({
        model,
        version,
        digest,
        signed,
        bytes: storedBytes(release),
        sharedBytes: sharedBytes(release, all),
        publishedAt: new Date(modifiedAt).toISOString(),
        channels: channels.flatMap((document) => {
          if (document.model !== model) return [];
          if (document.stable.digest === digest) return [document.channel];
          const { canary } = document;
          return canary?.release.digest === digest ? [`${document.channel} ${canary.percent} %`] : [];
        }),
      }));
      const rows = listed.map((row) => [
        `${row.model}@${row.version}`,
        formatBytes(row.bytes),
        formatBytes(row.sharedBytes),
        row.signed ? "yes" : "no",
        row.channels.join(", ") || "-",
        row.digest.slice(0, 12),
      ]);
      const warnings = broken.map(({ key, detail }) => `broken: ${key}: ${detail}`);
      const pointers = channels.map(({ model, channel, stable, canary, sequence, expiresAt }) => [
        `${model} on ${channel}`,
        stable.version,
        canary === null ? "-" : `${canary.release.version} ${canary.percent} %`,
        String(sequence),
        Date.parse(expiresAt) < Date.now() ? `EXPIRED ${expiresAt.slice(0, 10)}` : expiresAt.slice(0, 10),
      ]);
      const heads = formatTable([["channel", "stable", "canary", "sequence", "expires"], ...pointers]);
      const table = formatTable([["release", "size", "shared", "signed", "channels", "digest"], ...rows]);
      return {
        json: { channels, releases: listed, broken },
        text: [rows.length === 0 ? `no releases in ${store.url}` : `${heads}\n\n${table}`, ...warnings].join("\n"),
      };
    }),
});
