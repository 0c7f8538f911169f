import type { Settings } from "../settings.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** What a chat request is answered with and on. */
export interface ChatContext {
  readonly env: Env;
  readonly settings: Settings;
  readonly apiKey: string;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** Fires when the client goes away. */
  readonly signal: AbortSignal;
  readonly stopwatch: Stopwatch;
  /** Gives the request's body back, its picture files included: called when they are processed. */
  readonly letGoBody: () => void;
}
