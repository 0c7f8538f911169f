import { parentPort, workerData } from "node:worker_threads";
import { Tensor } from "onnxruntime-node";
import { encoderRuns, type EncoderInput, type EncoderSource } from "../../../shared/encoding/encoder-inputs.ts";
import { decodeF16, encodeF16, isFiniteF16 } from "../../../shared/frame/f16.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import { Sessions } from "../backbones/sessions.ts";
import { floats } from "../backbones/tensors.ts";
import type { CachedFeatures } from "../features/feature-cache.ts";
import type { EncoderThreadData, FromEncoder, ToEncoder } from "./messages.ts";

/** The encoder's own thread: onnxruntime-node computes inside the event loop that calls it. One picture at a time. */
const port = parentPort;
if (port === null) throw new Error("encoder/worker.ts runs in a worker thread");

const data = workerData as EncoderThreadData;
const processor = createImageProcessor(data.preprocessorConfig, data.processorConfig, data.config);
const session = await new Sessions(data).create(data.graph);
let last: Promise<void> = Promise.resolve();

function send(message: FromEncoder): void {
  port?.postMessage(message);
}

async function run({ pixel_values, shape, extra = [] }: EncoderInput): Promise<{ bits: Uint16Array; width: number }> {
  const feeds: Record<string, Tensor> = { pixel_values: new Tensor("float32", pixel_values, shape) };
  for (const input of extra) feeds[input.name] = new Tensor(input.dtype, input.data, input.shape);
  const outputs = await session.run(feeds);
  // Through the wire codec, so that an answer does not depend on where its pictures were encoded
  const bits = encodeF16(floats(outputs, "image_features"));
  const width = outputs["image_features"]?.dims.at(-1) ?? 0;
  if (width === 0 || !isFiniteF16(bits)) throw new Error("image_features are not finite.");
  return { bits, width };
}

async function encode(source: EncoderSource): Promise<CachedFeatures> {
  const runs: Uint16Array[] = [];
  let width = 0;
  for (const input of encoderRuns(data.inputs, processor, source)) {
    const { bits, ...found } = await run(input);
    width = found.width;
    runs.push(bits);
  }
  const count = runs.reduce((sum, { length }) => sum + length, 0);
  const values = new Float32Array(new SharedArrayBuffer(count * Float32Array.BYTES_PER_ELEMENT));
  let at = 0;
  for (const bits of runs) {
    values.set(decodeF16(bits), at);
    at += bits.length;
  }
  return { rows: count / width, width, values };
}

async function answer({ id, source }: ToEncoder): Promise<void> {
  try {
    send({ type: "features", id, features: await encode(source) });
  } catch (error) {
    send({ type: "failed", id, message: error instanceof Error ? error.message : String(error) });
  }
}

port.on("message", (message: ToEncoder) => {
  const before = last;
  last = (async () => {
    await before;
    await answer(message);
  })();
});
send({ type: "ready" });
