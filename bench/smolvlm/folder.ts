import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { encoderGraph, SMOLVLM_IN_TILES } from "../graphs/encoder.ts";
import { decoderGraph, embedTokensGraph, llamaConfig, SMOLLM2_135M, type TextShape } from "../graphs/decoder.ts";
import { smolVlmTokenizer } from "./tokenizer.ts";

/** HuggingFaceTB/SmolVLM-256M-Instruct, by its config.json. */
const TEXT: TextShape = { ...SMOLLM2_135M, vocab: 49_280 };

const CHAT_TEMPLATE = `<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% elif part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>
{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}`;

const CONFIG = {
  architectures: ["Idefics3ForConditionalGeneration"],
  model_type: "idefics3",
  image_token_id: 49_190,
  scale_factor: 4,
  text_config: llamaConfig(TEXT),
  vision_config: {
    model_type: "idefics3_vision",
    hidden_size: 768,
    image_size: 512,
    intermediate_size: 3072,
    num_attention_heads: 12,
    num_hidden_layers: 12,
    patch_size: 16,
  },
};

const PREPROCESSOR = {
  image_processor_type: "Idefics3ImageProcessor",
  processor_class: "Idefics3Processor",
  do_convert_rgb: true,
  do_image_splitting: true,
  do_normalize: true,
  do_pad: true,
  do_rescale: true,
  do_resize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  max_image_size: { longest_edge: 512 },
  resample: 1,
  rescale_factor: 1 / 255,
  size: { longest_edge: 2048 },
};

/**
 * Writes a model folder with the dimensions and files of SmolVLM-256M-Instruct and random weights: the encoder as `_fp16`
 * is left out, since nothing here would choose it; `_quantized` and `_q4` are there, embed_tokens in fp16, the decoder in q4.
 */
export async function writeSmolVlm(dir: string): Promise<void> {
  await mkdir(path.join(dir, "onnx"), { recursive: true });
  const { tokenizer, config } = smolVlmTokenizer(CHAT_TEMPLATE);
  const files: Readonly<Record<string, object>> = {
    "config.json": CONFIG,
    "generation_config.json": { bos_token_id: 49_153, eos_token_id: 49_279, pad_token_id: 49_154 },
    "preprocessor_config.json": PREPROCESSOR,
    "processor_config.json": { image_seq_len: 64, processor_class: "Idefics3Processor" },
    "tokenizer.json": tokenizer,
    "tokenizer_config.json": config,
  };
  for (const [name, value] of Object.entries(files))
    await writeFile(path.join(dir, name), JSON.stringify(value, null, 1));
  const graph = (name: string, bytes: Uint8Array) => writeFile(path.join(dir, "onnx", `${name}.onnx`), bytes);
  await graph("vision_encoder_quantized", encoderGraph(SMOLVLM_IN_TILES, "int8"));
  await graph("vision_encoder_q4", encoderGraph(SMOLVLM_IN_TILES, "int4"));
  await graph("embed_tokens_fp16", embedTokensGraph(TEXT));
  await graph("decoder_model_merged_q4", decoderGraph(TEXT));
}
