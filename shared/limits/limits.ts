/**
 * Every bound on what comes from outside: value with its unit in the name, why it is that, and what happens beyond.
 * All are enforced before anything of that size is allocated.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Body of one API request. Eight 2 MB pictures in base64 fit; beyond: 413. The edge holds it once, as bytes. */
export const MAX_REQUEST_BODY_BYTES = 24 * MIB;

/**
 * What a body may have beside its pictures: 400,000 characters are 2.3 MiB when each is escaped. The parsed form takes several
 * times that; beyond: 413.
 */
export const MAX_REQUEST_TEXT_BYTES = 4 * MIB;

/** How much of a body that is too large is read and dropped so that its sender hears the 413; beyond: it is cut off. */
export const MAX_DISCARDED_BODY_BYTES = 128 * MIB;

/** Pictures in one request. Each is decoded and encoded in turn, so this bounds time, not memory; beyond: 400. */
export const MAX_IMAGES_PER_REQUEST = 8;

/** Messages of one chat; beyond: 400. */
export const MAX_MESSAGES = 256;

/** Characters of all text of one chat: bounds the time of template and tokenizer; beyond: 400. */
export const MAX_TEXT_CHARS = 400_000;

/** Tools of one request, and calls of one message, as the OpenAI API has it; beyond: 400. */
export const MAX_TOOLS = 128;

/** Characters of a function's name, as the OpenAI API has it; beyond: 400. */
export const MAX_TOOL_NAME_CHARS = 64;

/** Characters of a call's id; those of the OpenAI API have 29; beyond: 400. */
export const MAX_TOOL_CALL_ID_CHARS = 256;

/** Characters of a grammar that an answer is held to: its time to compile grows with it; beyond: 400. */
export const MAX_GRAMMAR_CHARS = 65_536;

/** Grammars of one API key that were never seen and wait to be compiled; one may take seconds. Beyond: 429. */
export const MAX_WAITING_GRAMMARS = 8;

/** What of an answer may wait at the origin for its reader; a token with 20 logprobs is 1 kB. Beyond: it ends with an error. */
export const MAX_UNREAD_ANSWER_BYTES = 8 * MIB;

/** Stop strings, as the OpenAI API has it; beyond: 400. */
export const MAX_STOP_STRINGS = 4;

/** Characters of one stop string: that many may be held back from a stream; beyond: 400. */
export const MAX_STOP_CHARS = 256;

/** Entries of `logit_bias`: each is added to the logits of every step, and all travel in the header of a frame; beyond: 400. */
export const MAX_LOGIT_BIAS = 1024;

/** Least `repetition_penalty`: a logit is divided by it in each step, and near 0 it leaves the range of float32; below: 400. */
export const MIN_REPETITION_PENALTY = 0.01;

/** A blob in object storage. Workers hold one while hashing it; beyond: the release is refused. */
export const MAX_SHARD_BYTES = 8 * MIB;

/** A release manifest: 64 KiB a thousand files; beyond: refused unread. */
export const MAX_MANIFEST_BYTES = 1 * MIB;

/** JSON header of a frame; 1,000 features need about 200 kB; beyond: 400. */
export const MAX_FRAME_HEADER_BYTES = 256 * KIB;

/** A frame in whole: eight pictures of 576 x 4096 f16 features are 38 MB; beyond: 413. */
export const MAX_FRAME_BYTES = 64 * MIB;

/** Tensors in one frame; beyond: 400. */
export const MAX_FRAME_TENSORS = 64;

/** Age at which a signed request is refused: RFC 9421 leaves the window to the application. A frame takes seconds to send. */
export const SIGNATURE_WINDOW_SECONDS = 60;

/** How far the edge's clock may be ahead of the origin's; part of the window, not added to it. */
export const SIGNATURE_CLOCK_SKEW_SECONDS = 5;

/**
 * What a caller beyond its quota (`ratelimits` of wrangler.toml, requests of one API key a minute) is told to wait, milliseconds: the
 * limiter does not say when there is room, and on average half of its minute is left. Official clients heed less than 60 s.
 */
export const RATE_LIMIT_RETRY_MS = 30_000;
