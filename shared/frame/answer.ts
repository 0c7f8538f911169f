import * as z from "zod";
import { ERROR_TABLE, type ErrorCode } from "../errors/table.ts";

/**
 * The origin's answer to a frame: an event stream. Any number of `tokens` events, then for each choice one `finish`
 * event; the last of them carries usage and timing. An `error` event ends the stream, whatever came before.
 */
const uint = z.int().nonnegative();
const ms = z.number().nonnegative();

const tokenLogprob = z.object({ id: uint, logprob: z.number() });

/** Ids that one choice has grown by, in one step. */
const tokensEvent = z.object({
  /** Which of the `n` choices; 0 when absent. */
  index: uint.default(0),
  ids: z.array(uint).min(1).max(4096),
  /** One entry per id: the chosen token first, then the alternatives by falling probability. */
  logprobs: z.array(z.array(tokenLogprob).min(1).max(21)).optional(),
});

const usage = z.object({
  prompt_tokens: uint,
  completion_tokens: uint,
  /** Prompt tokens that a cached prefix spared. */
  cached_tokens: uint.default(0),
});

const timing = z.object({ queue_ms: ms, prefill_ms: ms, decode_ms: ms, steps: uint, encode_ms: ms.optional() });

const finishEvent = z.object({
  index: uint.default(0),
  /** `stop`: an end token or stop id; `length`: max_tokens, or the context is full, or the cache where no max_tokens was named. */
  finish_reason: z.enum(["stop", "length"]),
  /** The id that ended the answer; it is counted in `usage` and is not among the `ids`. */
  stop_token_id: uint.optional(),
  usage: usage.optional(),
  timing: timing.optional(),
});

const errorEvent = z.object({
  error: z.object({ code: z.enum(Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]]), message: z.string() }),
});

export const answerEventSchema = z.union([tokensEvent, finishEvent, errorEvent]);

export type TokensEvent = z.output<typeof tokensEvent>;
export type AnswerEvent = z.output<typeof answerEventSchema>;
/** What the origin writes. */
export type AnswerEventInput = z.input<typeof answerEventSchema>;
export type OriginTiming = z.output<typeof timing>;
export type OriginUsage = z.output<typeof usage>;
