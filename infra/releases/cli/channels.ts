import type { ArgsDef } from "citty";
import { CHANNEL_NAME, channelPrefix } from "../../../shared/releases/keys.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import { nearest, UsageError } from "../../usage.ts";

/** Channels that something follows as it comes: `npm start`, and the two stages. An origin can be told to follow another. */
const CHANNELS = ["local", "staging", "production"];

export const channelArgs = {
  channel: {
    type: "string",
    required: true,
    valueHint: CHANNELS.join("|"),
    description: "Channel to change; local is what `npm start` serves",
  },
} as const satisfies ArgsDef;

/**
 * A channel of another name must be in the store already, so that a mistyped one is not made.
 * @throws UsageError that says which there are
 */
export async function checkChannel(store: ObjectStore, channel: string, how: "existing" | "new" = "existing") {
  const meant = nearest(channel, CHANNELS);
  const hint = meant === undefined ? `use ${CHANNELS.join(", ")}` : `did you mean ${meant}?`;
  if (!CHANNEL_NAME.test(channel)) throw new UsageError(`${channel} is no name of a channel: ${hint}`);
  if (how === "new" || CHANNELS.includes(channel) || (await exists(store, channel))) return;
  throw new UsageError(
    `there is no channel ${channel} in ${store.url}: ${hint} (\`fovea promote --new\` makes another)`,
  );
}

async function exists(store: ObjectStore, channel: string): Promise<boolean> {
  for await (const { size } of store.list(channelPrefix(channel))) if (size > 0) return true;
  return false;
}
