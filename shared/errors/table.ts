/**
 * Every error that Fovea can answer with: code -> HTTP status, OpenAI error type, and whether a client may retry.
 *
 * The OpenAI SDK picks its error class by status and retries 408, 409, 429 and >= 500 unless told otherwise by
 * `x-should-retry`, so `retryable` is sent as that header.
 */
export const ERROR_TABLE = {
  // What the caller sent
  invalid_json: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_request: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_image: { status: 400, type: "invalid_request_error", retryable: false },
  image_too_small: { status: 400, type: "invalid_request_error", retryable: false },
  image_too_large: { status: 400, type: "invalid_request_error", retryable: false },
  too_many_images: { status: 400, type: "invalid_request_error", retryable: false },
  unsupported_image_url: { status: 400, type: "invalid_request_error", retryable: false },
  context_length_exceeded: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_api_key: { status: 401, type: "authentication_error", retryable: false },
  origin_not_allowed: { status: 403, type: "permission_error", retryable: false },
  not_found: { status: 404, type: "invalid_request_error", retryable: false },
  model_not_found: { status: 404, type: "invalid_request_error", retryable: false },
  method_not_allowed: { status: 405, type: "invalid_request_error", retryable: false },
  body_too_slow: { status: 408, type: "invalid_request_error", retryable: true },
  body_too_large: { status: 413, type: "invalid_request_error", retryable: false },
  unsupported_media_type: { status: 415, type: "invalid_request_error", retryable: false },
  unsupported_image: { status: 415, type: "invalid_request_error", retryable: false },
  rate_limit_exceeded: { status: 429, type: "rate_limit_error", retryable: true },

  // What the edge sent to the origin
  invalid_frame: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_signature: { status: 401, type: "authentication_error", retryable: false },
  contract_mismatch: { status: 409, type: "conflict_error", retryable: true },
  features_missing: { status: 409, type: "conflict_error", retryable: true },

  // What is wrong on our side
  internal_error: { status: 500, type: "server_error", retryable: false },
  origin_failed: { status: 502, type: "server_error", retryable: true },
  not_configured: { status: 503, type: "server_error", retryable: false },
  release_unavailable: { status: 503, type: "server_error", retryable: true },
  overloaded: { status: 503, type: "server_error", retryable: true },
  origin_timeout: { status: 504, type: "server_error", retryable: true },
} as const satisfies Record<string, ErrorRow>;

interface ErrorRow {
  readonly status: number;
  readonly type: string;
  readonly retryable: boolean;
}

export type ErrorCode = keyof typeof ERROR_TABLE;
