import type { SigningKey } from "../../shared/http-signature/keys.ts";
import type { NonceCache } from "../../shared/http-signature/nonces.ts";
import type { Encoders } from "./encoder/encoders.ts";
import type { FeatureCache } from "./features/feature-cache.ts";
import type { Admission } from "./generate/admission.ts";
import type { Serving } from "./serving/serving.ts";
import type { Settings } from "./settings.ts";
import type { SpanExporter } from "./telemetry/otlp.ts";

/** What the routes share, made once at start. */
export interface OriginContext {
  readonly settings: Settings;
  readonly keys: readonly SigningKey[];
  readonly nonces: NonceCache;
  readonly admission: Admission;
  readonly features: FeatureCache;
  readonly serving: Serving;
  /** Vision encoders, for pixels. */
  readonly encoders: Encoders;
  /** Null where no collector is set. */
  readonly exporter: SpanExporter | null;
}

/** Variables of one request. */
export interface OriginEnv {
  Variables: { requestId: string };
}
