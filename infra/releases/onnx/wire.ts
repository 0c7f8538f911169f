/**
 * The protobuf wire format (https://protobuf.dev/programming-guides/encoding), as far as ONNX uses it. ONNX files reach
 * gigabytes, so a message is a list of where its fields lie, and no payload is read before someone asks for it.
 */

/** Random access to the bytes of a file. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface Field {
  readonly number: number;
  /** 0 varint, 1 fixed64, 2 length-delimited, 5 fixed32. */
  readonly wireType: number;
  /** Where the field begins, tag included, and ends. */
  readonly start: number;
  readonly end: number;
  /** Where the payload of a length-delimited or fixed field begins. */
  readonly payload: number;
  /** The value of a varint, 0 otherwise. */
  readonly value: bigint;
}

/** No tag and length are longer: 5 bytes and 10 bytes. */
const HEAD_BYTES = 15;

export class WireError extends Error {
  override readonly name = "WireError";
}

/** The fields of the message that lies in [start, end), in order. Throws WireError when it is no message. */
export async function readFields(source: ByteSource, start: number, end: number): Promise<readonly Field[]> {
  const fields: Field[] = [];
  for (let at = start; at < end;) {
    const head = await source.read(at, Math.min(HEAD_BYTES, end - at));
    const field = parseHead(head, at);
    if (field.end > end) throw new WireError("a field reaches beyond its message");
    fields.push(field);
    at = field.end;
  }
  return fields;
}

function parseHead(head: Uint8Array, at: number): Field {
  const tag = readVarint(head, 0);
  const number = Number(tag.value >> 3n);
  const wireType = Number(tag.value & 7n);
  if (number < 1) throw new WireError("a field has number 0");
  const base = { number, wireType, start: at, payload: at + tag.length, value: 0n };
  switch (wireType) {
    case 0: {
      const varint = readVarint(head, tag.length);
      return { ...base, value: varint.value, end: at + tag.length + varint.length };
    }
    case 1:
      return { ...base, end: at + tag.length + 8 };
    case 2: {
      const length = readVarint(head, tag.length);
      const payload = at + tag.length + length.length;
      if (length.value > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError("a field is too long");
      return { ...base, payload, end: payload + Number(length.value) };
    }
    case 5:
      return { ...base, end: at + tag.length + 4 };
    default:
      throw new WireError(`wire type ${wireType} is not one of protobuf 3`);
  }
}

export function readVarint(bytes: Uint8Array, offset: number): { readonly value: bigint; readonly length: number } {
  let value = 0n;
  for (let i = 0; i < 10; i += 1) {
    const byte = bytes[offset + i];
    if (byte === undefined) throw new WireError("a number is cut short");
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, length: i + 1 };
  }
  throw new WireError("a number has more than 10 bytes");
}

export function writeVarint(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return new Uint8Array(bytes);
}

/** Tag and length of a length-delimited field whose payload follows. */
export function writeHead(number: number, length: number): Uint8Array<ArrayBuffer> {
  return concatBytes([writeVarint(BigInt(number * 8 + 2)), writeVarint(BigInt(length))]);
}

export function writeField(number: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes([writeHead(number, payload.length), payload]);
}

export function writeVarintField(number: number, value: bigint): Uint8Array<ArrayBuffer> {
  return concatBytes([writeVarint(BigInt(number * 8)), writeVarint(value)]);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
