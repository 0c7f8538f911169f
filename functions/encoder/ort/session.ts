import * as ort from "onnxruntime-web/wasm";
import type { EncoderInput } from "../../../shared/encoding/encoder-inputs.ts";
import type { ImageFeatures } from "../image-features.ts";
import { dummyBinary, ortHeapBytes, withCompiledModule } from "./instantiate.ts";

/** External data of a graph: the name inside the graph, and its bytes. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = dummyBinary();
ort.env.logLevel = "error";

/**
 * Loads `vision_encoder.onnx` into onnxruntime-web. The caller drops its copy of the bytes afterwards: the runtime has
 * copied them into its heap.
 */
export async function createOrtEncoder(graph: Uint8Array, externalData: readonly ExternalData[]): Promise<OrtEncoder> {
  const session = await withCompiledModule(() =>
    ort.InferenceSession.create(graph, {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
      externalData: [...externalData],
    }),
  );
  return new OrtEncoder(session);
}

export class OrtEncoder {
  readonly runtime = `onnxruntime-web/${ort.env.versions.web ?? "?"}`;
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  get memoryBytes(): number {
    return ortHeapBytes();
  }

  /** Features of all runs, one after another; a run's `pixel_values` may be overwritten when the next is asked for. */
  async encode(runs: Iterable<EncoderInput>): Promise<ImageFeatures> {
    const parts: Float32Array[] = [];
    let width = 0;
    for (const input of runs) {
      const part = await this.#run(input);
      width = part.width;
      parts.push(part.image_features);
    }
    const count = parts.reduce((sum, { length }) => sum + length, 0);
    const image_features = new Float32Array(count);
    let at = 0;
    for (const part of parts) {
      image_features.set(part, at);
      at += part.length;
    }
    return { image_features, rows: count / width, width };
  }

  async #run({ pixel_values, shape, extra = [] }: EncoderInput): Promise<Omit<ImageFeatures, "rows">> {
    const feeds: Record<string, ort.Tensor> = { pixel_values: new ort.Tensor("float32", pixel_values, shape) };
    for (const input of extra) feeds[input.name] = new ort.Tensor(input.dtype, input.data, input.shape);
    const outputs = await this.#session.run(feeds);
    const output = outputs["image_features"];
    if (output === undefined) throw new Error("The encoder graph has no output image_features.");
    try {
      const { data, dims } = output;
      const width = dims.at(-1) ?? 0;
      if (!(data instanceof Float32Array) || width === 0) throw new Error("image_features is not float32 [..., D].");
      return { image_features: data.slice(), width };
    } finally {
      output.dispose();
    }
  }
}
