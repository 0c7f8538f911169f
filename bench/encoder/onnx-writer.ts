/** Writes ONNX files: as much of the protobuf format as a bench needs to make encoders of real size without Python. */

class Proto {
  readonly parts: Uint8Array[] = [];
  length = 0;

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  varint(value: number): this {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    do {
      bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
      rest >>= 7n;
    } while (rest > 0n);
    return this.raw(Uint8Array.from(bytes));
  }

  int(field: number, value: number): this {
    return this.varint(field * 8).varint(value);
  }

  float(field: number, value: number): this {
    return this.varint(field * 8 + 5).raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  bytes(field: number, value: Uint8Array | string | Proto): this {
    const body = typeof value === "string" ? new TextEncoder().encode(value) : value;
    this.varint(field * 8 + 2).varint(body.length);
    if (!(body instanceof Proto)) return this.raw(body);
    for (const part of body.parts) this.raw(part);
    return this;
  }

  join(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

type Data = Float32Array | BigInt64Array | Int8Array | Uint8Array;
export type AttributeValue = number | readonly number[] | { readonly float: number };

const FLOAT = 1;

function dtypeOf(data: Data): number {
  if (data instanceof Float32Array) return FLOAT;
  if (data instanceof BigInt64Array) return 7;
  return data instanceof Int8Array ? 3 : 2;
}

export class OnnxWriter {
  readonly #graph = new Proto().bytes(2, "bench");
  #names = 0;

  constant(data: Data, dims: readonly number[]): string {
    const name = `c${this.#names++}`;
    const tensor = new Proto();
    for (const dim of dims) tensor.int(1, dim);
    tensor.int(2, dtypeOf(data)).bytes(8, name);
    tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#graph.bytes(5, tensor);
    return name;
  }

  ints(...values: number[]): string {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  scalar(value: number): string {
    return this.constant(Float32Array.of(value), []);
  }

  /** Adds a node; returns the names of its outputs. */
  nodes(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Record<string, AttributeValue> = {},
  ): string[] {
    const node = new Proto();
    const outputs = Array.from({ length: count }, () => `${op.toLowerCase()}_${this.#names++}`);
    for (const input of inputs) node.bytes(1, input);
    for (const output of outputs) node.bytes(2, output);
    node.bytes(3, `/${outputs[0] ?? op}`).bytes(4, op);
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new Proto().bytes(1, name);
      if (typeof value === "number") attribute.int(3, value).int(20, 2);
      else if ("float" in value) attribute.float(2, value.float).int(20, 1);
      else {
        for (const one of value) attribute.int(8, one);
        attribute.int(20, 7);
      }
      node.bytes(5, attribute);
    }
    this.#graph.bytes(1, node);
    return outputs;
  }

  node(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.nodes(op, inputs, 1, attributes)[0] ?? "";
  }

  #value(field: number, name: string, dims: readonly (number | string)[]): void {
    const shape = new Proto();
    for (const dim of dims) {
      shape.bytes(1, typeof dim === "number" ? new Proto().int(1, dim) : new Proto().bytes(2, dim));
    }
    const tensor = new Proto().int(1, FLOAT).bytes(2, shape);
    this.#graph.bytes(field, new Proto().bytes(1, name).bytes(2, new Proto().bytes(1, tensor)));
  }

  /** `result` becomes the graph's `image_features`. */
  finish(result: string, input: readonly (number | string)[], output: readonly (number | string)[]): Uint8Array {
    const node = new Proto().bytes(1, result).bytes(2, "image_features").bytes(3, "/output").bytes(4, "Identity");
    this.#graph.bytes(1, node);
    this.#value(11, "pixel_values", input);
    this.#value(12, "image_features", output);
    return new Proto().int(1, 8).bytes(7, this.#graph).bytes(8, new Proto().int(2, 17)).join();
  }
}
