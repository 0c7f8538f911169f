/** Bounds on releases: what a manifest, a channel document or an object store may make us hold or do. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** A signed channel document with two releases and its history is about 2 KiB; beyond: refused unread. */
export const MAX_CHANNEL_BYTES = 64 * KIB;

/** A signature bundle lists every file once more, base64 coded; beyond: refused unread. */
export const MAX_SIGNATURE_BYTES = 2 * MIB;

/** Files of one release. A hub folder has about twenty; beyond: the manifest is refused. */
export const MAX_RELEASE_FILES = 1024;

/** One file. The largest dense backbones in one file are about 100 GiB; beyond: the manifest is refused. */
export const MAX_RELEASE_FILE_BYTES = 256 * GIB;

/** Characters of a file's name, folders included: the keys of object stores end at 1,024; beyond: refused. */
export const MAX_FILE_NAME_CHARS = 200;

/** A file that the edge takes whole into memory: the weights of SigLIP-B are 83 MiB; beyond: the release cannot serve at the edge. */
export const MAX_EDGE_FILE_BYTES = 96 * MIB;

/** Connections that a Worker may hold open is six, for all of its work; a seventh waits in the runtime. */
export const EDGE_SHARDS_IN_FLIGHT = 6;

/** Ranged reads that fill a link to an object store; each holds one network chunk, not one shard; more gain nothing. */
export const ORIGIN_SHARDS_IN_FLIGHT = 24;

/** Shards uploaded at once: 16 x 8 MiB are held, so a publish stays far below 300 MB. */
export const UPLOADS_IN_FLIGHT = 16;

/** Milliseconds one shard may take, from asking to its last byte: 8 MiB at 0.3 MB/s; beyond: the next source is asked. */
export const SHARD_TIMEOUT_MS = 30_000;

/** Tries of one shard at one source before the next source is asked; with backoff a 503 of half a second is ridden out. */
export const SHARD_TRIES = 3;

/** Milliseconds before the second try; doubled for the third. */
export const SHARD_BACKOFF_MS = 150;

/** How long a channel document is used before the store is asked again: how fast a promote or rollback reaches everyone. */
export const CHANNEL_REFRESH_MS = 15_000;

/** How long to wait after a failed refresh; the last known good release serves meanwhile. */
export const CHANNEL_RETRY_MS = 5_000;

/** Life of a channel document from promote; ops renew it weekly. A frozen mirror is noticed after this time at the latest. */
export const CHANNEL_LIFETIME_DAYS = 90;

/** Earlier stable releases that a channel document remembers: how far `rollback` can go, and what `gc` keeps. */
export const CHANNEL_HISTORY = 8;

/**
 * Age below which `gc` removes nothing that no channel or release names, unless told otherwise: a publish takes less. The same
 * for the temporary files of a folder as a store.
 */
export const GC_GRACE_MS = 24 * 3_600_000;

/**
 * How long a publish or a promote that made old objects young waits before it looks again: longer than `gc` takes from its last
 * look at one object to the end of its delete.
 */
export const GC_SETTLE_MS = 5_000;

/** Releases with open readers per model: stable and canary. A third pushes out the one used longest ago. */
export const RESIDENT_RELEASES = 2;

/** Models that `GET /v1/models` shows: each is one read of the bucket, of which a Worker has a thousand; beyond: left out, by name. */
export const MAX_LISTED_MODELS = 256;

/** Reads of it at a time: Workers have six connections open. */
export const LISTED_MODEL_READS = 6;

/** Models with a live channel per process; the name comes from the client, so it is bounded. */
export const MAX_RESIDENT_MODELS = 32;

/**
 * Memory of the edge isolate for text stages of releases: 128 MB less the request body, the picture decoder's heap and the
 * pixels of one job; beyond: the release is refused at publish time.
 */
export const EDGE_RELEASE_BUDGET_BYTES = 24 * MIB;

/**
 * Memory of the encoder isolate for an encoder while it loads: 128 MB less JavaScript itself, one job's pixels and its
 * activations; beyond: the encoder is placed at the origin, or the release is refused when it must stay.
 */
export const ENCODER_RELEASE_BUDGET_BYTES = 96 * MIB;
