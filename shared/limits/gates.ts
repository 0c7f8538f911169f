/** How much of what takes memory goes on at a time in the edge's isolate, and how long a request waits for its turn. */

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Bodies that are held at a time, in bytes: one of the largest, or many common ones. What does not fit waits before it is
 * read; beyond the wait: 503 `overloaded`.
 */
export const MAX_HELD_BODY_BYTES = 24 * MIB;

/** A body that counts for nothing: text, which must not wait for somebody's upload. */
export const SMALL_BODY_BYTES = 64 * KIB;

/** Requests whose body waits unread, and those of one API key among them; beyond: 503 `overloaded`. */
export const MAX_WAITING_BODIES = 32;
export const MAX_WAITING_BODIES_OF_ONE = 16;

/** Picture jobs that wait for the isolate's one decoder; beyond: 503 `overloaded`. */
export const MAX_WAITING_PICTURES = 8;

/** Milliseconds that a body or a picture waits for its turn; beyond: 503 `overloaded`. */
export const MAX_GATE_WAIT_MS = 5_000;

/** Milliseconds without a byte of a body that is being read; beyond: 408 `body_too_slow`. */
export const MAX_BODY_SILENCE_MS = 10_000;

/** Bytes of a body in a millisecond, on average, after the first moments; below: 408 `body_too_slow`. A slow mobile uplink has 30. */
export const MIN_BODY_BYTES_PER_MS = 16;
export const BODY_GRACE_MS = 10_000;

/** Milliseconds that a body may take in whole, so that a slow one holds its room for no longer; beyond: 408 `body_too_slow`. */
export const MAX_BODY_MS = 120_000;

/**
 * The same pace for the bodies of a key that holds more than half of the room while another key waits: all of it comes in 26 s
 * then. The first moments are less than `MAX_GATE_WAIT_MS`, so that who waits sees the end of who stalls; below: 408 `body_too_slow`.
 */
export const MIN_PRESSED_BODY_BYTES_PER_MS = 1024;
export const PRESSED_BODY_GRACE_MS = 2_000;

/** Milliseconds in which a body that is too large is read and dropped, so that its sender hears the 413; beyond: it is cut off. */
export const MAX_DISCARD_MS = 10_000;
