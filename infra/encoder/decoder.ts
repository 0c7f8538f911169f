import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { Template } from "@huggingface/jinja";
import { Tokenizer } from "@huggingface/tokenizers";
import * as ort from "onnxruntime-node";
import * as z from "zod";

const MAX_NEW_TOKENS = 64;

const tokenizerConfigSchema = z.looseObject({ chat_template: z.string() });
const configSchema = z.looseObject({ image_token_index: z.int() });
const generationSchema = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]) });

/** The graphs that answer, most exact first, as paths in the folder; null when it has neither. */
export async function decoderGraphs(dir: string): Promise<{ readonly embed: string; readonly decoder: string } | null> {
  const names = await readdir(path.join(dir, "onnx"));
  for (const suffix of ["", "_fp16"]) {
    const [embed, decoder] = [`embed_tokens${suffix}.onnx`, `decoder_model_merged${suffix}.onnx`];
    if (names.includes(embed) && names.includes(decoder)) return { embed: `onnx/${embed}`, decoder: `onnx/${decoder}` };
  }
  return null;
}

/**
 * Answers one question about one picture from given features: embed_tokens and decoder_model_merged of a LLaVA-like model in
 * native onnxruntime, greedy. The gate asks it whether the recorded answers stay; serving has an engine of its own.
 */
export class ReferenceDecoder {
  readonly #tokenizer: Tokenizer;
  readonly #template: Template;
  readonly #embed: ort.InferenceSession;
  readonly #decoder: ort.InferenceSession;
  readonly #imageToken: number;
  readonly #ends: ReadonlySet<number>;

  private constructor(parts: {
    tokenizer: Tokenizer;
    template: Template;
    embed: ort.InferenceSession;
    decoder: ort.InferenceSession;
    imageToken: number;
    ends: ReadonlySet<number>;
  }) {
    this.#tokenizer = parts.tokenizer;
    this.#template = parts.template;
    this.#embed = parts.embed;
    this.#decoder = parts.decoder;
    this.#imageToken = parts.imageToken;
    this.#ends = parts.ends;
  }

  /** `dir` in Hugging Face layout; the graphs take and give float32, whatever their weights are. Null without graphs. */
  static async open(dir: string): Promise<ReferenceDecoder | null> {
    const graphs = await decoderGraphs(dir);
    if (graphs === null) return null;
    const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(path.join(dir, name), "utf8"));
    const tokenizerConfig = tokenizerConfigSchema.parse(await json("tokenizer_config.json"));
    const { eos_token_id } = generationSchema.parse(await json("generation_config.json"));
    const session = (name: string) =>
      ort.InferenceSession.create(path.join(dir, name), { intraOpNumThreads: 1, interOpNumThreads: 1 });
    return new ReferenceDecoder({
      tokenizer: new Tokenizer((await json("tokenizer.json")) as object, tokenizerConfig),
      template: new Template(tokenizerConfig.chat_template),
      embed: await session(graphs.embed),
      decoder: await session(graphs.decoder),
      imageToken: configSchema.parse(await json("config.json")).image_token_index,
      ends: new Set([eos_token_id].flat()),
    });
  }

  async #embeddings(ids: readonly number[]): Promise<ort.Tensor> {
    const input_ids = new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
    const { inputs_embeds } = await this.#embed.run({ input_ids });
    if (inputs_embeds === undefined) throw new Error("embed_tokens.onnx has no output inputs_embeds.");
    return inputs_embeds;
  }

  #prompt(question: string, rows: number): number[] {
    const messages = [{ role: "user", content: [{ type: "image" }, { type: "text", text: question }] }];
    const text = this.#template.render({ messages, add_generation_prompt: true });
    const { ids } = this.#tokenizer.encode(text, { add_special_tokens: false });
    return ids.flatMap((id) => (id === this.#imageToken ? Array.from({ length: rows }, () => id) : [id]));
  }

  /** `features` f32 [rows, width]. */
  async answer(features: Float32Array, rows: number, question: string): Promise<string> {
    const prompt = this.#prompt(question, rows);
    let embeds = await this.#embeddings(prompt);
    const width = embeds.dims[2] ?? 0;
    const values = embeds.data as Float32Array;
    let row = 0;
    for (const [i, id] of prompt.entries()) {
      if (id === this.#imageToken) values.set(features.subarray(row * width, ++row * width), i * width);
    }
    let past: Record<string, ort.Tensor> = {};
    for (const input of this.#decoder.inputMetadata) {
      if (!input.name.startsWith("past_key_values") || !input.isTensor) continue;
      const shape = input.shape.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? 1 : 0));
      past[input.name] = new ort.Tensor("float32", new Float32Array(), shape);
    }
    const ids: number[] = [];
    let length = 0;
    while (ids.length < MAX_NEW_TOKENS) {
      const added = embeds.dims[1] ?? 0;
      const positions = BigInt64Array.from({ length: added }, (_, i) => BigInt(length + i));
      length += added;
      const outputs = await this.#decoder.run({
        inputs_embeds: embeds,
        attention_mask: new ort.Tensor("int64", new BigInt64Array(length).fill(1n), [1, length]),
        position_ids: new ort.Tensor("int64", positions, [1, added]),
        ...past,
      });
      const logits = outputs["logits"];
      if (logits === undefined) throw new Error("decoder_model_merged.onnx has no output logits.");
      const last = (logits.data as Float32Array).subarray(-(logits.dims.at(-1) ?? 0));
      const id = last.reduce((best, value, i) => (value > (last[best] ?? -Infinity) ? i : best), 0);
      if (this.#ends.has(id)) break;
      ids.push(id);
      past = Object.fromEntries(
        Object.entries(outputs)
          .filter(([name]) => name.startsWith("present"))
          .map(([name, tensor]) => [name.replace("present", "past_key_values"), tensor]),
      );
      embeds = await this.#embeddings([id]);
    }
    return this.#tokenizer.decode(ids, { skip_special_tokens: true });
  }
}
