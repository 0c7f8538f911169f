import { InferenceSession, Tensor } from "onnxruntime-node";
import { cacheTensorNames } from "../../functions/origin/backbones/spec.ts";
import { rightPaddedMask } from "../../functions/origin/backbones/tensors.ts";
import type { BackboneSpec } from "../../functions/origin/backbones/spec.ts";

/** Positions of the buffer that a step reads, as the engine would size it for `HELD` tokens. */
const ROOM = 128;
const HELD = 64;

/**
 * `session.run` of the `rows` graph and nothing else: inputs made beforehand, outputs left alone, no embedding, no choice of
 * tokens. What a serving engine adds shows against this.
 */
export class BareSession {
  readonly #session: InferenceSession;
  readonly #spec: BackboneSpec;

  private constructor(session: InferenceSession, spec: BackboneSpec) {
    this.#session = session;
    this.#spec = spec;
  }

  static async open(path: string, spec: BackboneSpec, threads: number): Promise<BareSession> {
    return new BareSession(
      await InferenceSession.create(path, { intraOpNumThreads: threads, logSeverityLevel: 3 }),
      spec,
    );
  }

  /** Milliseconds per step at this batch. */
  async measure(batch: number, steps: number): Promise<number> {
    const { hiddenSize, kvHeads, headDim, layers } = this.#spec;
    const lengths = Array.from({ length: batch }, () => HELD);
    const feeds: Record<string, Tensor> = {
      inputs_embeds: new Tensor("float32", new Float32Array(batch * hiddenSize).fill(0.01), [batch, 1, hiddenSize]),
      attention_mask: rightPaddedMask(lengths.map((held) => held + 1)),
      position_ids: new Tensor("int64", new BigInt64Array(batch).fill(BigInt(HELD)), [batch, 1]),
      logits_index: new Tensor("int64", new BigInt64Array(batch), [batch]),
    };
    const dims = [batch, kvHeads, ROOM, headDim];
    for (const name of cacheTensorNames(layers)) {
      const past = new Float32Array(batch * kvHeads * ROOM * headDim).fill(0.01);
      feeds[`past_key_values.${name}`] = new Tensor("float32", past, dims);
    }
    await this.#session.run(feeds);
    const started = performance.now();
    for (let step = 0; step < steps; step++) await this.#session.run(feeds);
    return (performance.now() - started) / steps;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
