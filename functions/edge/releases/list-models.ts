import { MAX_CHANNEL_BYTES, MAX_RESIDENT_MODELS } from "../../../shared/limits/releases.ts";
import { openChannel, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { ReleaseError } from "../../../shared/releases/error.ts";
import { channelPrefix, modelOfChannelKey } from "../../../shared/releases/keys.ts";

/** A model that a channel serves, for `GET /v1/models`. */
export interface ListedModel {
  readonly id: string;
  /** Unix seconds of the last promote. */
  readonly created: number;
  readonly version: string;
}

/**
 * Every model that the channel serves, by name. A document that does not open (unsigned, altered) is left out: a model
 * that cannot be used is not offered. Throws ReleaseError `store_unreadable` when the bucket cannot be listed.
 */
export async function listModels(bucket: R2Bucket, channel: string, trust: Trust): Promise<readonly ListedModel[]> {
  const listing = await bucket.list({ prefix: channelPrefix(channel), limit: 1000 }).catch((cause: unknown) => {
    throw new ReleaseError("store_unreadable", "the bucket cannot be listed", { cause });
  });
  const names = listing.objects.flatMap((object) => {
    const model = modelOfChannelKey(object.key, channel);
    return model === null || object.size > MAX_CHANNEL_BYTES ? [] : [{ model, key: object.key }];
  });
  const opened: ListedModel[] = [];
  for (const { model, key } of names.slice(0, MAX_RESIDENT_MODELS)) {
    const object = await bucket.get(key);
    if (object === null) continue;
    const bytes = new Uint8Array(await object.arrayBuffer());
    const document = await openChannel(bytes, { model, channel }, trust).catch(() => null);
    if (document !== null) opened.push(listed(document));
  }
  return opened;
}

function listed(document: ChannelDocument): ListedModel {
  return {
    id: document.model,
    created: Math.floor(Date.parse(document.issuedAt) / 1000),
    version: document.stable.version,
  };
}
