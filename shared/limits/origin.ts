/**
 * How long the edge waits for the origin, in milliseconds; beyond: 504 `origin_timeout`, or an `error` event in a stream. Accepting
 * and queueing together stay below the 600 s after which the official clients give up, so that those hear why.
 */

/**
 * Until the origin has accepted or refused a frame: 64 MiB are sent, pictures may be encoded there, a grammar is checked in 5 s.
 * A release that it loads first may take longer; it goes on loading, and a later try finds it.
 */
export const MAX_ORIGIN_ACCEPT_MS = 120_000;

/**
 * From there to the first event. A request waits in the origin's queue without a word, up to the origin's own deadline
 * (`FOVEA_REQUEST_SECONDS`, 300), whose error comes first; where that is raised, this one cuts it.
 */
export const MAX_ORIGIN_QUEUE_MS = 310_000;

/** Between two events: a running answer gets a token in every step, and a step takes seconds where it reads a long prompt of another. */
export const MAX_ORIGIN_SILENCE_MS = 120_000;
