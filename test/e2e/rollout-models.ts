import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { BUILTIN_DIR } from "../../infra/local/builtin.ts";
import { memoryByteSource } from "../../infra/releases/onnx/byte-source.ts";
import { graphField, GRAPH_INITIALIZER, ofNumber, TENSOR_RAW_DATA } from "../../infra/releases/onnx/graph-io.ts";
import { readFields } from "../../infra/releases/onnx/wire.ts";

/** Tokens of the built-in model that its other backbone takes for each other: `.` and `!`. */
const SWAPPED_TOKENS = [50, 37] as const;
const VOCABULARY = 2048;

/** Which parts of a model are changed. */
export interface Parts {
  readonly encoder: boolean;
  readonly backbone: boolean;
}

/**
 * Copies the built-in model, with other features (the projector's last matrix has its signs turned), another backbone (two
 * columns of `lm_head` are swapped), or both.
 */
export async function writeVariant(dir: string, changed: Parts): Promise<void> {
  await cp(BUILTIN_DIR, dir, { recursive: true, filter: (file) => !file.includes("examples") });
  if (changed.encoder) await editLastWeight(path.join(dir, "onnx/vision_encoder_fp16.onnx"), turnSigns);
  if (changed.backbone) await editLastWeight(path.join(dir, "onnx/decoder_model_merged_fp16.onnx"), swapTokens);
}

/** Edits the half-precision values of a graph's last initializer in place. */
async function editLastWeight(file: string, edit: (values: Uint16Array) => void): Promise<void> {
  const bytes = await readFile(file);
  const source = memoryByteSource(bytes);
  const graph = await graphField(source);
  const tensor = ofNumber(await readFields(source, graph.payload, graph.end), GRAPH_INITIALIZER).at(-1);
  const raw =
    tensor === undefined
      ? undefined
      : ofNumber(await readFields(source, tensor.payload, tensor.end), TENSOR_RAW_DATA)[0];
  if (raw === undefined) throw new Error(`the last weight of ${file} is not where it was`);
  const values = new Uint16Array(new Uint8Array(bytes.subarray(raw.payload, raw.end)).buffer);
  edit(values);
  bytes.set(new Uint8Array(values.buffer), raw.payload);
  await writeFile(file, bytes);
}

function turnSigns(values: Uint16Array): void {
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] ?? 0) ^ 0x8000;
}

/** `[hidden, vocabulary]`. */
function swapTokens(values: Uint16Array): void {
  const [one, other] = SWAPPED_TOKENS;
  for (let row = 0; row < values.length; row += VOCABULARY) {
    const kept = values[row + one] ?? 0;
    values[row + one] = values[row + other] ?? 0;
    values[row + other] = kept;
  }
}
