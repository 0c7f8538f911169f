import type { PromptReading } from "../../../shared/releases/release.ts";
import type { Backbone } from "./backbone.ts";
import { EmbedTokens } from "./embed-tokens.ts";
import { MergedBackbone } from "./merged.ts";
import { findOperators, INT8_PRODUCTS } from "./operators.ts";
import { Sessions, type SessionSettings } from "./sessions.ts";
import { SlotBackbone } from "./slots.ts";
import { readSpec } from "./spec.ts";

/** Where a release's language model lies, verified, and how to run it. Everything survives a structured clone. */
export interface BackboneSource extends SessionSettings {
  /** The decoder graph; external data is found beside it. */
  readonly decoder: string;
  readonly embedTokens: string;
  /** Parsed `config.json` and `generation_config.json`. */
  readonly config: unknown;
  readonly generationConfig: unknown;
  /** How the release says that prompts are read; absent: causally, from position 0. */
  readonly prompt?: PromptReading | undefined;
  /** Sequences that may hold a cache at once. */
  readonly maxSequences: number;
}

/** Opens a backbone: the graph's own signature says which of the implementations it needs. */
export async function openBackbone(source: BackboneSource): Promise<Backbone> {
  const sessions = new Sessions(source);
  const operators = await findOperators(source.decoder);
  const decoder = await sessions.create(source.decoder);
  const graph = { inputs: decoder.inputMetadata, outputs: decoder.outputMetadata, operators };
  const spec = readSpec(graph, source.config, source.generationConfig, source.prompt);
  // A look-up in a table. Threads of its own would still be spinning for more work when the decoder needs the cores.
  const embedTokens = new EmbedTokens(await sessions.create(source.embedTokens, 1), spec.vocabSize);
  if (spec.layout === "merged") return new MergedBackbone(spec, sessions.choice, decoder, embedTokens);
  const backbone = new SlotBackbone(spec, sessions.choice, decoder, embedTokens, source.maxSequences);
  if (operators.has(INT8_PRODUCTS)) await backbone.agreeWithItself();
  return backbone;
}
