import type { SessionSettings } from "../backbones/sessions.ts";
import type { EncoderSource } from "../../../shared/encoding/encoder-inputs.ts";
import type { StageTensor } from "../../../shared/releases/release.ts";
import type { CachedFeatures } from "../features/feature-cache.ts";

/** What an encoder's thread is started with. Survives a structured clone. */
export interface EncoderThreadData extends SessionSettings {
  /** The graph; external data is found beside it. */
  readonly graph: string;
  readonly inputs: readonly StageTensor[];
  /** Parsed `preprocessor_config.json`, `processor_config.json` and `config.json`. */
  readonly preprocessorConfig: unknown;
  readonly processorConfig: unknown;
  readonly config: unknown;
}

export interface ToEncoder {
  readonly id: number;
  readonly source: EncoderSource;
}

export type FromEncoder =
  | { readonly type: "ready" }
  | { readonly type: "features"; readonly id: number; readonly features: CachedFeatures }
  | { readonly type: "failed"; readonly id: number; readonly message: string };
