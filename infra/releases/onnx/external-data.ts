import type { Segment } from "../file-plan.ts";
import { graphField, GRAPH_INITIALIZER, MODEL_GRAPH, ofNumber, TENSOR_RAW_DATA, textOf } from "./graph-io.ts";
import { nestedFields } from "./nested-fields.ts";
import {
  concatBytes,
  readFields,
  WireError,
  writeField,
  writeHead,
  writeVarintField,
  type ByteSource,
  type Field,
} from "./wire.ts";

/** Field numbers of TensorProto in onnx.proto. */
const TENSOR_EXTERNAL_DATA = 13;
const TENSOR_DATA_LOCATION = 14;
const EXTERNAL = 1n;

/** Shorter tensors stay in the graph: shape inference reads them (axes, shapes) and does not follow external data. */
const MIN_MOVED_BYTES = 1024;
/** Vector loads want 64; a tensor that may be mapped from disk wants a page. */
const SMALL_ALIGNMENT = 64;
const PAGE = 4096;
const PAGE_ALIGNED_FROM = 1024 * 1024;

export interface MovedWeights {
  readonly graph: readonly Segment[];
  readonly data: readonly Segment[];
}

/**
 * Splits a graph from its weights (https://github.com/onnx/onnx/blob/main/docs/ExternalData.md): a runtime then needs no
 * second copy of them while it loads, and a weight that changes leaves the graph as it was. Weights are named where they
 * lie in `path`, never copied. Null when the graph has none to move, or any tensor of the model has external data already, which
 * may lie in a file of the very name.
 */
export async function moveWeights(source: ByteSource, path: string, location: string): Promise<MovedWeights | null> {
  const graph = await graphField(source);
  if ((await externalEntries(source)).length > 0) return null;
  const fields = await readFields(source, graph.payload, graph.end);
  const data: Segment[] = [];
  const body: Segment[] = [];
  let offset = 0;
  for (const field of fields) {
    const tensor = field.number === GRAPH_INITIALIZER ? await readFields(source, field.payload, field.end) : [];
    const raw = ofNumber(tensor, TENSOR_RAW_DATA)[0];
    const length = raw === undefined ? 0 : raw.end - raw.payload;
    if (raw === undefined || length < MIN_MOVED_BYTES) {
      body.push(range(path, field.start, field.end));
      continue;
    }
    const padding = paddingAt(offset, length);
    if (padding > 0) data.push({ kind: "bytes", bytes: new Uint8Array(padding) });
    offset += padding;
    data.push(range(path, raw.payload, raw.end));
    body.push({ kind: "bytes", bytes: await externalTensor(source, tensor, { location, offset, length }) });
    offset += length;
  }
  if (offset === 0) return null;
  const bodyLength = body.reduce(
    (sum, segment) => sum + (segment.kind === "bytes" ? segment.bytes.length : segment.length),
    0,
  );
  const head: Segment = { kind: "bytes", bytes: writeHead(MODEL_GRAPH, bodyLength) };
  return { data, graph: [range(path, 0, graph.start), head, ...body, range(path, graph.end, source.size)] };
}

/** The names of the files that a model's external data lies in, as the model gives them. Throws WireError for a path. */
export async function externalLocations(source: ByteSource): Promise<readonly string[]> {
  await graphField(source);
  const locations = new Set<string>();
  for (const entry of await externalEntries(source)) {
    const pair = await readFields(source, entry.payload, entry.end);
    if ((await textOf(source, ofNumber(pair, 1)[0])) !== "location") continue;
    locations.add(await textOf(source, ofNumber(pair, 2)[0]));
  }
  for (const name of locations) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
      throw new WireError(`external data lies at ${JSON.stringify(name)}, not beside the graph`);
  }
  return [...locations];
}

/** Keys and values of all tensors' external data. */
async function externalEntries(source: ByteSource): Promise<readonly Field[]> {
  const entries: Field[] = [];
  for (const { payload, end } of await nestedFields(source, "tensor"))
    entries.push(...ofNumber(await readFields(source, payload, end), TENSOR_EXTERNAL_DATA));
  return entries;
}

/** The tensor without its bytes, and where they are instead. */
async function externalTensor(
  source: ByteSource,
  tensor: readonly Field[],
  at: { readonly location: string; readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  for (const field of tensor) {
    if (field.number === TENSOR_RAW_DATA || field.number === TENSOR_DATA_LOCATION) continue;
    // Copied: a byte source may hand out a view of a block that it will refill.
    kept.push((await source.read(field.start, field.end - field.start)).slice());
  }
  const entries = Object.entries(at).map(([key, value]) =>
    writeField(TENSOR_EXTERNAL_DATA, keyValue(key, String(value))),
  );
  const payload = concatBytes([...kept, ...entries, writeVarintField(TENSOR_DATA_LOCATION, EXTERNAL)]);
  return writeField(GRAPH_INITIALIZER, payload);
}

function keyValue(key: string, value: string): Uint8Array {
  const encoder = new TextEncoder();
  return concatBytes([writeField(1, encoder.encode(key)), writeField(2, encoder.encode(value))]);
}

function paddingAt(offset: number, length: number): number {
  const alignment = length >= PAGE_ALIGNED_FROM ? PAGE : SMALL_ALIGNMENT;
  return (alignment - (offset % alignment)) % alignment;
}

function range(path: string, start: number, end: number): Segment {
  return { kind: "range", path, offset: start, length: end - start };
}
