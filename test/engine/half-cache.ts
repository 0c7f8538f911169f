import { memoryByteSource } from "../../infra/releases/onnx/byte-source.ts";
import { GRAPH_INPUT, GRAPH_NODE, GRAPH_OUTPUT, MODEL_GRAPH } from "../../infra/releases/onnx/graph-io.ts";
import { concatBytes, readFields, writeField, writeVarintField, type Field } from "../../infra/releases/onnx/wire.ts";
import { writeNode } from "../../infra/releases/onnx/write-graph.ts";

/** More field numbers of onnx.proto, and its types. */
const NODE_INPUT = 1;
const NODE_OUTPUT = 2;
const FLOAT = 1;
const FLOAT16 = 10;

const CACHE = /^(?:past_key_values|present|new_key_values)\.\d+\.(?:key|value)$/;

/** The same decoder between casts: it takes and gives its cache in float16, as the hub's `q4f16` files do. */
export async function withHalfCache(model: Uint8Array): Promise<Uint8Array> {
  const source = memoryByteSource(model);
  const text = ({ payload, end }: Field): string => new TextDecoder().decode(model.subarray(payload, end));
  /** The message's fields, those that `change` gives something for replaced. */
  const rewrite = async (
    { payload, end }: Pick<Field, "payload" | "end">,
    change: (field: Field) => Promise<Uint8Array | null> | Uint8Array | null,
  ): Promise<Uint8Array> => {
    const parts: Uint8Array[] = [];
    for (const field of await readFields(source, payload, end)) {
      parts.push((await change(field)) ?? model.subarray(field.start, field.end));
    }
    return concatBytes(parts);
  };
  const halfType = (field: Field): Promise<Uint8Array> =>
    rewrite(field, async (type) =>
      type.number === 2
        ? writeField(
            2,
            await rewrite(type, async (tensor) =>
              writeField(
                1,
                await rewrite(tensor, ({ number }) => (number === 1 ? writeVarintField(1, BigInt(FLOAT16)) : null)),
              ),
            ),
          )
        : null,
    );
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  const border = async (field: Field): Promise<Uint8Array | null> => {
    const nameField = (await readFields(source, field.payload, field.end)).find(({ number }) => number === 1);
    const name = nameField === undefined ? "" : text(nameField);
    if (!CACHE.test(name)) return null;
    if (field.number === GRAPH_INPUT) before.push(writeNode("Cast", [name], `${name}.f32`, { to: FLOAT }));
    else after.push(writeNode("Cast", [`${name}.f32`], name, { to: FLOAT16 }));
    return writeField(field.number, await halfType(field));
  };
  const node = async (field: Field): Promise<Uint8Array> =>
    writeField(
      GRAPH_NODE,
      await rewrite(field, (one) => {
        const named = (one.number === NODE_INPUT || one.number === NODE_OUTPUT) && CACHE.test(text(one));
        return named ? writeField(one.number, encode(`${text(one)}.f32`)) : null;
      }),
    );
  return rewrite({ payload: 0, end: model.length }, async (top) => {
    if (top.number !== MODEL_GRAPH) return null;
    const nodes: Uint8Array[] = [];
    const rest = await rewrite(top, async (field) => {
      if (field.number === GRAPH_INPUT || field.number === GRAPH_OUTPUT) return border(field);
      if (field.number !== GRAPH_NODE) return null;
      nodes.push(await node(field));
      return new Uint8Array(0);
    });
    return writeField(MODEL_GRAPH, concatBytes([...before, ...nodes, ...after, rest]));
  });
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
