import { LISTED_MODEL_READS, MAX_CHANNEL_BYTES, MAX_LISTED_MODELS } from "../../../shared/limits/releases.ts";
import { openChannel, type ChannelDocument } from "../../../shared/releases/channel.ts";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { ReleaseError } from "../../../shared/releases/error.ts";
import { channelKey, channelPrefix, isModelName, modelOfChannelKey } from "../../../shared/releases/keys.ts";
import { Semaphore } from "../../../shared/releases/semaphore.ts";

/** A model that a channel serves, for `GET /v1/models`. */
export interface ListedModel {
  readonly id: string;
  /** Unix seconds of the last promote. */
  readonly created: number;
  readonly version: string;
}

/**
 * The models that the channel serves, by name, `MAX_LISTED_MODELS` of them. A document that does not open (unsigned,
 * altered) is left out: a model that cannot be used is not offered. Throws ReleaseError `store_unreadable` when the bucket
 * cannot be read.
 */
export async function listModels(bucket: R2Bucket, channel: string, trust: Trust): Promise<readonly ListedModel[]> {
  const listing = await bucket.list({ prefix: channelPrefix(channel), limit: 1000 }).catch((cause: unknown) => {
    throw new ReleaseError("store_unreadable", "the bucket cannot be listed", { cause });
  });
  const names = listing.objects.flatMap(({ key }) => modelOfChannelKey(key, channel) ?? []);
  const reads = new Semaphore(LISTED_MODEL_READS);
  const found = await Promise.all(
    names.slice(0, MAX_LISTED_MODELS).map((model) => reads.run(() => findModel(bucket, channel, trust, model))),
  );
  return found.filter((model) => model !== null);
}

/** One model of the channel; null when there is none of that name, or when its document does not open. Throws as `listModels`. */
export async function findModel(
  bucket: R2Bucket,
  channel: string,
  trust: Trust,
  model: string,
): Promise<ListedModel | null> {
  if (!isModelName(model)) return null;
  const bytes = await readDocument(bucket, channelKey(model, channel)).catch((cause: unknown) => {
    throw new ReleaseError("store_unreadable", "the bucket cannot be read", { cause });
  });
  const document = bytes && (await openChannel(bytes, { model, channel }, trust).catch(() => null));
  return document && listed(document);
}

async function readDocument(bucket: R2Bucket, key: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const object = await bucket.get(key);
  if (object === null) return null;
  if (object.size <= MAX_CHANNEL_BYTES) return new Uint8Array(await object.arrayBuffer());
  await object.body.cancel();
  return null;
}

function listed(document: ChannelDocument): ListedModel {
  return {
    id: document.model,
    created: Math.floor(Date.parse(document.issuedAt) / 1000),
    version: document.stable.version,
  };
}
