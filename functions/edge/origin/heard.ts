import { FoveaError } from "../../../shared/errors/error.ts";
import type { ErrorCode } from "../../../shared/errors/table.ts";

/** An error as the origin tells it; without a code when it is none of ours. */
export interface OriginError {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly param?: string;
  /** Status of the answer, where it is one. */
  readonly status?: number;
  readonly retryAfterMs?: number;
}

/** What concerns the caller, or the edge's own next step, in the origin's words. */
const FORWARDED: ReadonlySet<ErrorCode> = new Set([
  "context_length_exceeded",
  "invalid_request",
  "overloaded",
  "release_unavailable",
  "contract_mismatch",
  "features_missing",
  "origin_failed",
  "origin_timeout",
]);

const UNFIT = [
  "internal_error",
  "The request became something that the origin does not take. The same again will fail again.",
] as const;

/** What is between edge and origin, as the caller's matter: code and words. */
const TRANSLATED = new Map<ErrorCode, readonly [ErrorCode, string]>([
  [
    "body_too_large",
    ["body_too_large", "The images are too large together, as the model takes them. Send fewer or smaller images."],
  ],
  // Of the edge's key, which all callers share
  ["rate_limit_exceeded", ["overloaded", "The origin is full. Try again soon."]],
  // The edge's mistakes, and the origin's: clients would retry a 502
  ["invalid_frame", UNFIT],
  ["unsupported_media_type", UNFIT],
  ["method_not_allowed", UNFIT],
  ["not_found", UNFIT],
  ["internal_error", UNFIT],
]);

/**
 * The error that a caller hears for one of the origin. What is not known is `origin_failed`, which clients retry, and
 * so is `invalid_signature`: each try is signed anew, and while keys are replaced another origin may know the edge's.
 */
export function heard(error: OriginError): FoveaError {
  const { code, message, param, status, retryAfterMs } = error;
  const cause = new Error([status, code, message].filter((part) => part !== undefined && part !== "").join(" "));
  const options = { cause, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (code !== undefined && FORWARDED.has(code)) {
    return new FoveaError(code, message, { ...options, ...(param !== undefined && { param }) });
  }
  const [known, words] = (code && TRANSLATED.get(code)) ?? [
    "origin_failed",
    "The origin refused the request. Try again.",
  ];
  return new FoveaError(known, words, options);
}
