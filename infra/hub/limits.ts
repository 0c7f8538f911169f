/** Bounds on what a hub may make this machine hold or do. */

const MIB = 1024 * 1024;

/** Files of one repository; the largest model repositories have hundreds; beyond: refused. */
export const MAX_LISTED_FILES = 20_000;

/** One answer of the hub's API: a page of a listing has at most 1,000 entries of about 300 bytes; beyond: refused. */
export const MAX_API_BYTES = 8 * MIB;

/** A file that is parsed, not streamed; the largest tokenizer.json is 33 MB; beyond: refused before it is fetched. */
export const MAX_CONFIGURATION_BYTES = 96 * MIB;

/** Hops from the hub to where a file lies; it takes one or two; beyond: an error. */
export const MAX_REDIRECTS = 5;

/** Tries in a row that bring nothing; each that brings a byte starts the count anew. */
export const TRIES = 5;

/** Milliseconds before the second try, doubled for each further one. */
export const BACKOFF_MS = 500;

/** The longest wait that an answer's `retry-after` may ask for. */
export const MAX_BACKOFF_MS = 60_000;

/** Milliseconds without a byte until a connection counts as dead. */
export const STALL_MS = 30_000;

/** Files at once: a content network gives one connection a share of the link. */
export const FILES_IN_FLIGHT = 4;
