import { memoryByteSource } from "./byte-source.ts";
import {
  graphField,
  GRAPH_INPUT,
  GRAPH_NODE,
  GRAPH_OUTPUT,
  MODEL_GRAPH,
  ofNumber,
  readGraphIo,
  type GraphIo,
} from "./graph-io.ts";
import { nestedFields } from "./nested-fields.ts";
import { concatBytes, readFields, writeField, type ByteSource } from "./wire.ts";
import { readNode, renamed, writeIntegers, writeNode, writeValueInfo, type GraphNode } from "./write-graph.ts";

/** Before every name that is added, so that none of the graph's own is met. */
const PREFIX = "fovea.rows";
/** From here on Unsqueeze takes its axes as an input; GatherND knows batch dimensions since 12. */
const LEAST_OPSET = 13;
const MODEL_OPSET_IMPORT = 8;

/** What the head multiplies: the last norm of the residual stream, `[B, S, hidden]` as GroupQueryAttention takes it. */
const NORMS: ReadonlySet<string> = new Set([
  "LayerNormalization",
  "RMSNormalization",
  "SimplifiedLayerNormalization",
  "SkipLayerNormalization",
  "SkipSimplifiedLayerNormalization",
]);
const HEADS: ReadonlySet<string> = new Set(["MatMul", "MatMulNBits"]);

const CACHE_OUTPUT = /^present\.\d+\.(?:key|value)$/;

/** The node behind each name. */
type Makers = ReadonlyMap<string, GraphNode>;

/** How often each name is read: by nodes, those of branches and bodies too, and as an output of the graph. */
type Reads = ReadonlyMap<string, number>;

/** One tensor of the cache: which node makes it, and `[B, kv_heads, S, head_dim]`. */
interface CacheTensor {
  readonly name: string;
  /** int32 `[B]`: the last position of each sequence after this call. */
  readonly lastPositions: string;
  readonly info: GraphIo["outputs"][number];
}

/**
 * A decoder around GroupQueryAttention that returns its whole cache, in the layout `rows`: `new_key_values.N.*`, the new rows
 * alone, in place of `present.N.*`, and with them the logits of one position a sequence (`logits_index`). What is computed stays the same;
 * onnxruntime-node copies every output, and the cache is the largest. `model`: the graph, its weights elsewhere. Null for any other graph,
 * and for one in which something reads the logits of all positions.
 * @throws WireError for what is no ONNX model
 */
export async function handBackRows(model: Uint8Array): Promise<Uint8Array | null> {
  const source = memoryByteSource(model);
  const graph = await graphField(source);
  const fields = await readFields(source, graph.payload, graph.end);
  const io = await readGraphIo(source);
  const nodes = await Promise.all(ofNumber(fields, GRAPH_NODE).map((field) => readNode(source, field)));
  const makers: Makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const caches = cacheTensors(makers, io);
  const logits = io.outputs.find(({ name }) => name === "logits");
  if (caches === null || logits?.shape.length !== 3 || (await opsetOf(source)) < LEAST_OPSET) return null;

  const reads = await readsOf(source, io);
  if (reads.get(logits.name) !== 1) return null;

  const chosen = await chooseLogits(source, makers, reads);
  const bytes = (start: number, end: number): Uint8Array => model.subarray(start, end);
  const rest = fields.filter(({ number }) => number !== GRAPH_NODE && number !== GRAPH_OUTPUT);
  const [batch = "batch_size", , vocabulary = "vocab_size"] = logits.shape;
  const others = io.outputs.filter(({ name }) => name !== "logits" && !CACHE_OUTPUT.test(name));
  const body = concatBytes([
    ...nodes.flatMap((node) => chosen.get(node) ?? [bytes(node.field.start, node.field.end)]),
    ...rowNodes(caches),
    ...rest.map(({ start, end }) => bytes(start, end)),
    ...constants(caches),
    writeValueInfo(GRAPH_INPUT, { name: "logits_index", dtype: "int64", shape: [batch] }),
    writeValueInfo(GRAPH_OUTPUT, { ...logits, shape: [batch, vocabulary] }),
    ...caches.map(({ info }) => writeValueInfo(GRAPH_OUTPUT, newRows(info))),
    ...others.map((output) => writeValueInfo(GRAPH_OUTPUT, output)),
  ]);
  return concatBytes([bytes(0, graph.start), writeField(MODEL_GRAPH, body), bytes(graph.end, model.length)]);
}

async function readsOf(source: ByteSource, { outputs }: GraphIo): Promise<Reads> {
  const reads = new Map<string, number>();
  const count = (name: string): unknown => reads.set(name, (reads.get(name) ?? 0) + 1);
  for (const { name } of outputs) count(name);
  for (const field of await nestedFields(source, "node")) (await readNode(source, field)).inputs.forEach(count);
  return reads;
}

/** All of the cache's outputs, when each comes straight from a GroupQueryAttention whose past is an input of the graph. */
function cacheTensors(makers: Makers, io: GraphIo): readonly CacheTensor[] | null {
  const tensors: CacheTensor[] = [];
  for (const info of io.outputs.filter(({ name }) => CACHE_OUTPUT.test(name))) {
    const { name, shape } = info;
    const node = makers.get(name);
    const at = node?.outputs.indexOf(name) ?? 0;
    if (node?.op !== "GroupQueryAttention" || at === 0) return null;
    const past = node.inputs[2 + at];
    const lastPositions = node.inputs[5];
    if (past !== name.replace("present", "past_key_values") || !lastPositions) return null;
    if (shape.length !== 4 || typeof shape[1] !== "number") return null;
    tensors.push({ name, lastPositions, info });
  }
  return tensors.length === 0 ? null : tensors;
}

/**
 * `logits` `[B, S, V]` -> `[B, V]`, where `logits_index` points: what the head multiplies is chosen, when that is a norm, else what it
 * makes. The nodes that change, and what stands in their place.
 */
async function chooseLogits(
  source: ByteSource,
  makers: Makers,
  reads: Reads,
): Promise<ReadonlyMap<GraphNode, readonly Uint8Array[]>> {
  const gather = (from: string, to: string): Uint8Array[] => [
    writeNode("Unsqueeze", ["logits_index", `${PREFIX}.axis`], `${PREFIX}.logits_index`),
    writeNode("GatherND", [from, `${PREFIX}.logits_index`], to, { batch_dims: 1 }),
  ];
  const last = makers.get("logits");
  if (last === undefined) return new Map();
  const head = headOf(last, makers, reads);
  const [hidden = ""] = head?.inputs ?? [];
  if (head !== null && NORMS.has(makers.get(hidden)?.op ?? "")) {
    const name = `${PREFIX}.hidden`;
    return new Map([[head, [...gather(hidden, name), await renamed(source, head, "input", 0, name)]]]);
  }
  const name = `${PREFIX}.logits`;
  const whole = await renamed(source, last, "output", last.outputs.indexOf("logits"), name);
  return new Map([[last, [whole, ...gather(name, "logits")]]]);
}

/**
 * The product behind the logits, when nothing else reads what it makes, which is to be of one position. No node is passed twice: a
 * graph that leads in a circle has none.
 */
function headOf(last: GraphNode, makers: Makers, reads: Reads): GraphNode | null {
  const passed = new Set<GraphNode>();
  for (let node: GraphNode | undefined = last; node !== undefined && !passed.has(node);) {
    if (HEADS.has(node.op)) return node;
    if (node.op !== "Identity" && node.op !== "Cast") return null;
    passed.add(node);
    const [from = ""] = node.inputs;
    if (reads.get(from) !== 1) return null;
    node = makers.get(from);
  }
  return null;
}

/** The last S rows of each sequence, where GroupQueryAttention has put them: one index for all layers that have the same lengths. */
function rowNodes(caches: readonly CacheTensor[]): Uint8Array[] {
  const name = (what: string): string => `${PREFIX}.${what}`;
  const nodes = [
    writeNode("Shape", ["inputs_embeds"], name("shape")),
    writeNode("Gather", [name("shape"), name("one")], name("width"), { axis: 0 }),
    writeNode("Sub", [name("width"), name("one")], name("before")),
    writeNode("Range", [name("zero"), name("width"), name("one")], name("steps")),
  ];
  const indexes = new Map<string, string>();
  for (const { name: present, lastPositions, info } of caches) {
    const heads = Number(info.shape[1]);
    const key = `${lastPositions} ${heads}`;
    const n = indexes.size;
    const index = indexes.get(key) ?? name(`index_${n}`);
    if (!indexes.has(key)) {
      indexes.set(key, index);
      nodes.push(
        writeNode("Cast", [lastPositions], name(`last_${n}`), { to: 7 }),
        writeNode("Sub", [name(`last_${n}`), name("before")], name(`first_${n}`)),
        writeNode("Reshape", [name(`first_${n}`), name("column")], name(`start_${n}`)),
        writeNode("Add", [name(`start_${n}`), name("steps")], name(`positions_${n}`)),
        writeNode("Unsqueeze", [name(`positions_${n}`), name("axes")], name(`wide_${n}`)),
        writeNode("Expand", [name(`wide_${n}`), name(`heads_${heads}`)], index),
      );
    }
    nodes.push(writeNode("GatherND", [present, index], newRows(info).name, { batch_dims: 2 }));
  }
  return nodes;
}

function constants(caches: readonly CacheTensor[]): Uint8Array[] {
  const heads = new Set(caches.map(({ info }) => Number(info.shape[1])));
  return [
    ...[...heads].map((count) => writeIntegers(`${PREFIX}.heads_${count}`, [4], [1, count, 1, 1])),
    writeIntegers(`${PREFIX}.zero`, [], [0]),
    writeIntegers(`${PREFIX}.one`, [], [1]),
    writeIntegers(`${PREFIX}.axis`, [1], [1]),
    writeIntegers(`${PREFIX}.axes`, [2], [1, 3]),
    writeIntegers(`${PREFIX}.column`, [2], [-1, 1]),
  ];
}

function newRows({
  name,
  dtype,
  shape: [batch = "batch_size", heads = 0, , width = 0],
}: CacheTensor["info"]): CacheTensor["info"] {
  return { name: name.replace("present", "new_key_values"), dtype, shape: [batch, heads, "sequence_length", width] };
}

/** Version of the default operator set. */
async function opsetOf(source: ByteSource): Promise<number> {
  for (const field of ofNumber(await readFields(source, 0, source.size), MODEL_OPSET_IMPORT)) {
    const parts = await readFields(source, field.payload, field.end);
    const domain = ofNumber(parts, 1)[0];
    if (domain === undefined || domain.end === domain.payload) return Number(ofNumber(parts, 2)[0]?.value ?? 0n);
  }
  return 0;
}
