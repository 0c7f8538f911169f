import { Tensor, type InferenceSession } from "onnxruntime-node";
import { floats } from "./tensors.ts";

/** The `embed_tokens` graph: `input_ids [1, S]` int64 -> `inputs_embeds [1, S, hidden]` float32. */
export class EmbedTokens {
  readonly #session: InferenceSession;
  readonly #vocabSize: number;

  constructor(session: InferenceSession, vocabSize: number) {
    this.#session = session;
    this.#vocabSize = vocabSize;
  }

  /** @throws RangeError for an id outside the vocabulary: some graphs read another row for it instead of failing */
  async run(ids: Int32Array): Promise<Float32Array> {
    for (const id of ids) {
      if (id < 0 || id >= this.#vocabSize) throw new RangeError(`token id ${id} is outside the vocabulary`);
    }
    const input = new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
    return floats(await this.#session.run({ input_ids: input }), "inputs_embeds");
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}
