import { FoveaError } from "../errors/error.ts";

/** Why a release, a channel document or a part of one was refused. Logs, metrics and the CLI show it; clients do not. */
export type ReleaseFault =
  | "manifest_missing"
  | "manifest_too_large"
  | "manifest_invalid"
  | "manifest_digest_mismatch"
  | "runtime_too_old"
  | "budget_exceeded"
  | "shard_missing"
  | "shard_length_mismatch"
  | "shard_digest_mismatch"
  | "shard_unreadable"
  | "file_missing"
  | "file_too_large"
  | "channel_missing"
  | "channel_too_large"
  | "channel_invalid"
  | "channel_expired"
  | "channel_older"
  | "signature_missing"
  | "signature_too_large"
  | "signature_malformed"
  | "signature_untrusted"
  | "signature_invalid"
  | "signature_mismatch"
  | "store_unreadable";

/**
 * A release that cannot be used. To a client it is the plain 503 `release_unavailable`; `fault` and `detail` say to an
 * operator what is wrong and where.
 */
export class ReleaseError extends FoveaError {
  readonly fault: ReleaseFault;
  readonly detail: string;

  constructor(fault: ReleaseFault, detail: string, options: { readonly cause?: unknown } = {}) {
    super("release_unavailable", "The model's release cannot be loaded right now. Try again later.", options);
    this.fault = fault;
    this.detail = detail;
  }
}

/** What to log for any failure while loading: never a stack, never a body. */
export function describeFault(thrown: unknown): { readonly fault: string; readonly detail: string } {
  if (thrown instanceof ReleaseError) return { fault: thrown.fault, detail: thrown.detail };
  return { fault: "unexpected", detail: thrown instanceof Error ? thrown.name : typeof thrown };
}
