/** A file that is no ONNX graph, or one that is damaged. The message names no byte of it. */
export class OnnxError extends Error {
  override readonly name = "OnnxError";
}

/**
 * Reads the protobuf wire format over a slice, https://protobuf.dev/programming-guides/encoding/.
 * Lengths are checked against the slice before anything is touched; groups (wire types 3 and 4) do not occur in ONNX.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Field number and wire type of the next field, or null at the end. */
  next(): { readonly field: number; readonly wire: number } | null {
    if (this.#at === this.#bytes.length) return null;
    const tag = this.varint();
    const field = Math.floor(tag / 8);
    if (field === 0) throw new OnnxError("A protobuf field has number 0.");
    return { field, wire: tag % 8 };
  }

  /** An unsigned varint below 2^53; larger ones (and negative int64) lose low bits, see int64. */
  varint(): number {
    return Number(this.#varint());
  }

  /** A varint as the signed 64-bit number that it stands for. */
  int64(): number {
    return Number(BigInt.asIntN(64, this.#varint()));
  }

  #varint(): bigint {
    let [low, shift, value] = [0, 0, 0n];
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || shift > 63) throw new OnnxError("A protobuf number does not end.");
      if (shift < 28) low += (byte & 0x7f) * 2 ** shift;
      else value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return value | BigInt(low);
      shift += 7;
    }
  }

  float(): number {
    const { buffer, byteOffset } = this.#take(4);
    return new DataView(buffer, byteOffset, 4).getFloat32(0, true);
  }

  /** A length-delimited field, not copied. */
  bytes(): Uint8Array {
    return this.#take(this.varint());
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  skip(wire: number): void {
    if (wire === 0) this.#varint();
    else if (wire === 1) this.#take(8);
    else if (wire === 2) this.bytes();
    else if (wire === 5) this.#take(4);
    else throw new OnnxError(`A protobuf field has wire type ${wire}.`);
  }

  /** One value of a repeated numeric field, or all of them where they are packed. */
  numbers(wire: number, one: (reader: ProtoReader) => number, into: number[]): void {
    if (wire !== 2) {
      into.push(one(this));
      return;
    }
    const packed = new ProtoReader(this.bytes());
    while (!packed.done) into.push(one(packed));
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new OnnxError("A protobuf field is longer than its message.");
    const slice = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return slice;
  }
}
