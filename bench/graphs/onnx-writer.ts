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

/** A Uint16Array holds the bits of float16 numbers. */
type Data = Float32Array | BigInt64Array | Int8Array | Uint8Array | Uint16Array;
export type AttributeValue = number | readonly number[] | string | { readonly float: number };

/** TensorProto.DataType. */
const DTYPES = { float32: 1, uint8: 2, int8: 3, int64: 7, float16: 10 } as const;

function dtypeOf(data: Data): number {
  if (data instanceof Float32Array) return DTYPES.float32;
  if (data instanceof BigInt64Array) return DTYPES.int64;
  if (data instanceof Uint16Array) return DTYPES.float16;
  return data instanceof Int8Array ? DTYPES.int8 : DTYPES.uint8;
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

  /** An int64 without axes. */
  integer(value: number): string {
    return this.constant(BigInt64Array.of(BigInt(value)), []);
  }

  scalar(value: number): string {
    return this.constant(Float32Array.of(value), []);
  }

  /** Adds a node whose outputs are called so. */
  named(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    domain = "",
  ): void {
    const node = new Proto();
    for (const input of inputs) node.bytes(1, input);
    for (const output of outputs) node.bytes(2, output);
    node.bytes(3, `/${outputs[0] ?? op}`).bytes(4, op);
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new Proto().bytes(1, name);
      if (typeof value === "number") attribute.int(3, value).int(20, 2);
      else if (typeof value === "string") attribute.bytes(4, value).int(20, 3);
      else if ("float" in value) attribute.float(2, value.float).int(20, 1);
      else {
        for (const one of value) attribute.int(8, one);
        attribute.int(20, 7);
      }
      node.bytes(5, attribute);
    }
    if (domain !== "") node.bytes(7, domain);
    this.#graph.bytes(1, node);
  }

  /** Adds a node; returns the names of its outputs. */
  nodes(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Record<string, AttributeValue> = {},
    domain = "",
  ): string[] {
    const outputs = Array.from({ length: count }, () => `${op.toLowerCase()}_${this.#names++}`);
    this.named(op, inputs, outputs, attributes, domain);
    return outputs;
  }

  node(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.nodes(op, inputs, 1, attributes)[0] ?? "";
  }

  input(name: string, dims: readonly (number | string)[], dtype: keyof typeof DTYPES = "float32"): void {
    this.#value(11, name, dims, dtype);
  }

  output(name: string, dims: readonly (number | string)[], dtype: keyof typeof DTYPES = "float32"): void {
    this.#value(12, name, dims, dtype);
  }

  #value(field: number, name: string, dims: readonly (number | string)[], dtype: keyof typeof DTYPES): void {
    const shape = new Proto();
    for (const dim of dims) {
      shape.bytes(1, typeof dim === "number" ? new Proto().int(1, dim) : new Proto().bytes(2, dim));
    }
    const tensor = new Proto().int(1, DTYPES[dtype]).bytes(2, shape);
    this.#graph.bytes(field, new Proto().bytes(1, name).bytes(2, new Proto().bytes(1, tensor)));
  }

  /** `result` becomes the graph's `image_features`. */
  finish(
    result: string,
    input: readonly (number | string)[],
    output: readonly (number | string)[],
    opset = 17,
  ): Uint8Array {
    this.named("Identity", [result], ["image_features"]);
    this.input("pixel_values", input);
    this.output("image_features", output);
    return this.model(opset);
  }

  /** The file, with onnxruntime's own operators allowed. */
  model(opset = 17): Uint8Array {
    const opsets = [new Proto().int(2, opset), new Proto().bytes(1, "com.microsoft").int(2, 1)];
    const model = new Proto().int(1, 8).bytes(7, this.#graph);
    for (const opset of opsets) model.bytes(8, opset);
    return model.join();
  }
}
