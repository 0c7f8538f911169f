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

  async encode(input: EncoderInput): Promise<ImageFeatures> {
    const feeds: Record<string, ort.Tensor> = {
      pixel_values: new ort.Tensor("float32", input.pixel_values, input.shape),
    };
    for (const { name, dtype, data, shape } of input.extra ?? []) feeds[name] = new ort.Tensor(dtype, data, shape);
    const outputs = await this.#session.run(feeds);
    const output = outputs["image_features"];
    if (output === undefined) throw new Error("The encoder graph has no output image_features.");
    try {
      const { data, dims } = output;
      const width = dims.at(-1) ?? 0;
      if (!(data instanceof Float32Array) || width === 0) throw new Error("image_features is not float32 [..., D].");
      return { image_features: data.slice(), rows: data.length / width, width };
    } finally {
      output.dispose();
    }
  }
}
