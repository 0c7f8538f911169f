import * as z from "zod";

const count = z.int().positive().max(16_777_216);

const configSchema = z.object({
  model_type: z.string(),
  /** LLaVA's name, and that of newer families. */
  image_token_index: z.int().nonnegative().nullish(),
  image_token_id: z.int().nonnegative().nullish(),
  vocab_size: count.nullish(),
  max_position_embeddings: count.nullish(),
  text_config: z.object({ vocab_size: count.nullish(), max_position_embeddings: count.nullish() }).nullish(),
  qformer_config: z.object({ max_position_embeddings: count.nullish() }).nullish(),
});

const generationSchema = z.object({
  do_sample: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().nonnegative().nullish(),
});

/** What the edge needs of `config.json` and `generation_config.json`. */
export interface ModelConfig {
  readonly modelType: string;
  /** Id of the placeholder that image features replace; null for a model without eyes. */
  readonly imageTokenId: number | null;
  readonly vocabSize: number;
  readonly maxPositions: number;
  /** Tokens of text that a Q-Former takes. */
  readonly qformerPositions: number;
  readonly doSample: boolean;
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly top_k?: number | undefined;
}

/** LLaMA's default, which upstream leaves out of files that have it. */
const DEFAULT_POSITIONS = 2048;
const DEFAULT_VOCABULARY = 32_000;

/** BERT's default. */
const DEFAULT_QFORMER_POSITIONS = 512;

/** @throws ZodError when a file of the release is not what upstream writes */
export function parseModelConfig(config: unknown, generation: unknown): ModelConfig {
  const model = configSchema.parse(config);
  const { do_sample, temperature, top_p, top_k } = generationSchema.parse(generation ?? {});
  return {
    modelType: model.model_type,
    imageTokenId: model.image_token_id ?? model.image_token_index ?? null,
    vocabSize: model.text_config?.vocab_size ?? model.vocab_size ?? DEFAULT_VOCABULARY,
    maxPositions: model.text_config?.max_position_embeddings ?? model.max_position_embeddings ?? DEFAULT_POSITIONS,
    qformerPositions: model.qformer_config?.max_position_embeddings ?? DEFAULT_QFORMER_POSITIONS,
    doSample: do_sample ?? false,
    temperature: temperature ?? undefined,
    top_p: top_p ?? undefined,
    top_k: top_k ?? undefined,
  };
}
