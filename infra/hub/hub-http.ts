import { setTimeout as sleep } from "node:timers/promises";
import { HubError, refusal, type Asked } from "./hub-error.ts";
import { pieces } from "./pieces.ts";
import { BACKOFF_MS, MAX_API_BYTES, MAX_BACKOFF_MS, MAX_REDIRECTS, STALL_MS, TRIES } from "./limits.ts";

export interface HubHttpOptions {
  /** `HF_ENDPOINT`, or the public hub. */
  readonly endpoint: URL;
  /** `HF_TOKEN`: sent to the endpoint's own origin and to nobody else. */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly backoffMs?: number;
  readonly stallMs?: number;
}

/** A success, and the hash that the hub itself gave with it, if any: a store behind the hub knows other etags. */
export interface HubResponse {
  readonly response: Response;
  readonly etag: string | null;
  /** To be called with each piece of the body; the connection is cut when it stays silent. */
  readonly alive: () => void;
  readonly done: () => void;
  /** Ends the request, its body included: the user's signal, or silence for too long. */
  readonly signal: AbortSignal;
}

const TRANSIENT = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Requests to a hub. Redirects are followed here, by hand: the API's stay on the endpoint's origin, those of files may lead
 * to a store elsewhere, which gets no token and whose bytes are believed for their hash alone.
 */
export class HubHttp {
  readonly asked: Asked;
  readonly #options: HubHttpOptions;

  constructor(repository: string, options: HubHttpOptions) {
    const { endpoint, token } = options;
    this.asked = { repository, endpoint, hasToken: token !== undefined };
    this.#options = options;
    const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(endpoint.hostname);
    if (endpoint.protocol !== "https:" && !(endpoint.protocol === "http:" && (loopback || token === undefined))) {
      throw new HubError("insecure", `a token goes over https only, and HF_ENDPOINT is ${endpoint.href}`);
    }
  }

  /** The same until the signal. */
  until(signal: AbortSignal): HubHttp {
    return new HubHttp(this.asked.repository, { ...this.#options, signal });
  }

  /** For @huggingface/hub: an answer of the API, tried again while the hub is busy, bounded before it is parsed. */
  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = Object.fromEntries(new Headers(init?.headers));
    for (let attempt = 1; ; attempt++) {
      try {
        const { response, done, signal } = await this.open(url, headers, "endpoint");
        const body = await boundedBody(response, signal).finally(done);
        return new Response(body, { status: response.status, headers: response.headers });
      } catch (thrown) {
        await this.pause(thrown, attempt);
      }
    }
  };

  /** Waits before another try, or throws what another try would not change. */
  async pause(thrown: unknown, attempt: number): Promise<void> {
    const { signal, backoffMs = BACKOFF_MS } = this.#options;
    signal?.throwIfAborted();
    const busy = thrown instanceof Busy;
    if (thrown instanceof HubError && !busy) throw thrown;
    if (attempt >= TRIES) throw busy ? thrown : this.#lost(thrown);
    const asked = busy ? thrown.retryAfterMs : 0;
    await sleep(Math.min(MAX_BACKOFF_MS, Math.max(asked, backoffMs * 2 ** (attempt - 1))), undefined, { signal });
  }

  /** @throws HubError for an answer that is no success, Busy when it is worth another try, what fetch throws */
  async open(url: URL, headers: Record<string, string>, reach: "endpoint" | "anywhere"): Promise<HubResponse> {
    const { endpoint, token, signal, stallMs = STALL_MS } = this.#options;
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error(`nothing came for ${stallMs} ms`)), stallMs);
    const done = (): void => clearTimeout(timer);
    const both = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
    try {
      let etag: string | null = null;
      let at = url;
      for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
        const own = at.origin === endpoint.origin;
        this.#checkTarget(at, own, reach);
        const authorization = own && token !== undefined ? { authorization: `Bearer ${token}` } : {};
        // Bytes as they are: a body that is compressed on the way has no length and no ranges.
        const sent = { ...headers, ...authorization, "accept-encoding": "identity" };
        const response = await fetch(at, { headers: sent, redirect: "manual", signal: both });
        if (own) etag ??= response.headers.get("x-linked-etag") ?? response.headers.get("etag");
        const location = response.headers.get("location");
        const redirected = response.status >= 300 && response.status < 400 && location !== null;
        if (!redirected && (response.ok || response.status === 416)) {
          return { response, etag, alive: () => timer.refresh(), done, signal: both };
        }
        await response.body?.cancel();
        if (!redirected) throw this.#refused(response);
        at = new URL(location, at);
      }
      throw new HubError("redirected", `${endpoint.host} redirects more than ${MAX_REDIRECTS} times`);
    } catch (thrown) {
      done();
      throw thrown;
    }
  }

  #checkTarget(at: URL, own: boolean, reach: "endpoint" | "anywhere"): void {
    const { endpoint } = this.#options;
    if (own) return;
    if (reach === "endpoint") {
      throw new HubError(
        "redirected",
        `${endpoint.host} sends its API's clients to ${at.host}: set HF_ENDPOINT to that host if you trust it`,
      );
    }
    if (at.protocol !== "https:" && endpoint.protocol === "https:") {
      throw new HubError("insecure", `${endpoint.host} redirects to ${at.protocol}//${at.host}, which is not https`);
    }
  }

  #refused(response: Response): HubError {
    const error = refusal(response, this.asked);
    if (!TRANSIENT.has(response.status)) return error;
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    return new Busy(error.message, Number.isFinite(seconds) ? seconds * 1000 : 0);
  }

  #lost(cause: unknown): HubError {
    const { host } = this.asked.endpoint;
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const why = inner instanceof Error ? inner.message : String(inner);
    return new HubError(
      "unavailable",
      `the connection to ${host} failed ${TRIES} times (${why}); the same command goes on where it stopped`,
      { cause },
    );
  }
}

/** An answer that may be another one soon. */
class Busy extends HubError {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super("unavailable", message);
    this.retryAfterMs = retryAfterMs;
  }
}

async function boundedBody({ body }: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of pieces(body, signal)) {
    length += part.length;
    if (length > MAX_API_BYTES)
      throw new HubError("bad_answer", `an answer of the hub has more than ${MAX_API_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
