import type { ProviderChoice } from "../backbones/providers.ts";
import type { BackboneSource } from "../backbones/open.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import type { EngineSettings } from "./settings.ts";
import type { EngineEvent, GenerateRequest } from "./request.ts";
import type { EngineStats } from "./stats.ts";

/** What an engine thread is started with. */
export interface EngineThreadData {
  readonly backbone: BackboneSource;
  readonly settings: EngineSettings;
  /** Path of the release's `tokenizer.bin`, for answers that follow a grammar; null where it has none. */
  readonly tokenizer: string | null;
}

export type ToEngine =
  | { readonly type: "submit"; readonly request: GenerateRequest }
  | { readonly type: "cancel"; readonly id: string }
  | { readonly type: "report" }
  | { readonly type: "close" };

/** The engine's state at the end of a step. */
export interface EngineReport {
  readonly waiting: number;
  readonly running: number;
  readonly blocks: { readonly total: number; readonly reserved: number; readonly cached: number };
  readonly prefix: { readonly lookups: number; readonly hits: number };
  readonly stats: Readonly<Omit<EngineStats, "prompt" | "firstToken" | "step" | "ended">>;
}

export type FromEngine =
  | {
      readonly type: "ready";
      readonly spec: BackboneSpec;
      readonly provider: ProviderChoice;
      /** As `Engine.longest` has it. */
      readonly longest: readonly number[];
    }
  | { readonly type: "events"; readonly events: readonly EngineEvent[] }
  | { readonly type: "report"; readonly report: EngineReport };
