import * as ort from "onnxruntime-node";

/** The float32 graph on native onnxruntime: what the gate compares with. One thread, all graph optimisations. */
export class Reference {
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  static async open(file: string): Promise<Reference> {
    return new Reference(await ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 }));
  }

  /** image_features f32 of one picture; masks are all true. */
  async encode(pixel_values: Float32Array, shape: readonly number[]): Promise<Float32Array> {
    const feeds: Record<string, ort.Tensor> = { pixel_values: new ort.Tensor("float32", pixel_values, shape) };
    if (this.#session.inputNames.includes("pixel_attention_mask")) {
      const dims = shape.toSpliced(shape.length - 3, 1);
      const size = dims.reduce((a, b) => a * b, 1);
      feeds["pixel_attention_mask"] = new ort.Tensor("bool", new Uint8Array(size).fill(1), dims);
    }
    const { data } = (await this.#session.run(feeds))["image_features"] ?? {};
    if (!(data instanceof Float32Array)) throw new Error("The graph has no output image_features in float32.");
    return data;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
