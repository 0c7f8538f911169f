import { describe, expect, it } from "vitest";
import { encodeSafetensors } from "../safetensors/encode.ts";
import { asFloat16Bits, tensorOf, type Tensor } from "../safetensors/dtypes.ts";
import { decodeFrame } from "./decode.ts";
import { encodeFrame, type FrameInput } from "./encode.ts";
import { decodeF16, encodeF16 } from "./f16.ts";

const hash = "ab".repeat(32);

function example(change: Partial<FrameInput["meta"]> = {}, tensors?: Record<string, Tensor>): FrameInput {
  return {
    meta: {
      protocol: 1,
      model: "moji-vlm-9m",
      release: hash,
      contract: hash,
      sampling: { max_tokens: 8 },
      features: [{ modality: "image", hash, offset: 1, length: 2, tensor: "features.0" }],
      ...change,
    },
    token_ids: Int32Array.of(1, 3, 3, 9),
    tensors: tensors ?? { "features.0": f16([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) },
  };
}

function f16(shape: number[], values: number[]): Tensor {
  return tensorOf("F16", shape, encodeF16(Float32Array.from(values)));
}

describe("frame", () => {
  it("comes back as it was sent", () => {
    const frame = decodeFrame(encodeFrame(example()));
    expect([...frame.token_ids]).toEqual([1, 3, 3, 9]);
    expect(frame.meta.sampling).toMatchObject({ max_tokens: 8, temperature: 1, top_p: 1, n: 1 });
    const tensor = frame.tensors.get("features.0");
    expect(tensor && [...decodeF16(asFloat16Bits(tensor))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("lies at multiples of 8 bytes whatever the header's length", () => {
    for (const model of ["m", "mo", "mod", "mode", "model", "models"]) {
      const file = encodeFrame(example({ model }));
      expect(new DataView(file.buffer).getBigUint64(0, true) % 8n).toBe(0n);
    }
  });

  it("refuses every cut, and never with anything but a 4xx", () => {
    const file = encodeFrame(example());
    for (let length = 0; length < file.length; length++) {
      expect(() => decodeFrame(file.slice(0, length))).toThrow("The frame is not valid");
    }
  });

  it("refuses any changed header byte or reads the same frame", () => {
    const file = encodeFrame(example());
    for (let at = 0; at < 8; at++) {
      const changed = file.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      expect(() => decodeFrame(changed)).toThrow("The frame is not valid");
    }
  });

  const refused: [string, FrameInput, string][] = [
    [
      "a feature beyond the prompt",
      example({ features: [{ modality: "image", hash, offset: 3, length: 2, tensor: "features.0" }] }),
      "outside",
    ],
    [
      "overlapping features",
      example({
        features: [
          { modality: "image", hash, offset: 1, length: 2, tensor: "features.0" },
          { modality: "image", hash, offset: 2, length: 2, tensor: "features.0" },
        ],
      }),
      "overlap",
    ],
    [
      "rows that are not placeholders",
      example({}, { "features.0": f16([1, 4], [1, 2, 3, 4]) }),
      "one row a placeholder",
    ],
    ["infinity", example({}, { "features.0": f16([2, 4], [1, 2, 3, Infinity, 5, 6, 7, 8]) }), "not finite"],
    ["NaN", example({}, { "features.0": f16([2, 4], [1, 2, 3, NaN, 5, 6, 7, 8]) }), "not finite"],
    [
      "a tensor of nobody",
      example({}, { "features.0": f16([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), x: f16([1], [1]) }),
      "belongs to no feature",
    ],
    ["a missing tensor", example({}, {}), "missing"],
    [
      "float32 features",
      example({}, { "features.0": tensorOf("F32", [2, 4], new Float32Array(8)) }),
      "neither F16 nor I8",
    ],
    [
      "int8 without a scale",
      example({}, { "features.0": tensorOf("I8", [2, 4], new Int8Array(8)) }),
      "scale is missing",
    ],
    ["a wrong digest", example({ release: "AB" }), "release"],
    ["max_tokens below 1", example({ sampling: { max_tokens: -1 } }), "max_tokens"],
    ["a later protocol", example({ protocol: 2 as 1 }), "protocol"],
  ];
  it.each(refused)("refuses %s", (_name, input, message) => {
    expect(() => decodeFrame(encodeFrame(input))).toThrow(message);
  });

  it("refuses negative ids", () => {
    expect(() => decodeFrame(encodeFrame({ ...example(), token_ids: Int32Array.of(1, -3, 3, 9) }))).toThrow("negative");
  });

  it("takes int8 features with a scale per row, and pixels with their mask", () => {
    const int8 = {
      "features.0": tensorOf("I8", [2, 4], new Int8Array(8)),
      "features.0.scale": tensorOf("F32", [2], Float32Array.of(1, 2)),
    };
    expect(decodeFrame(encodeFrame(example({}, int8))).tensors.size).toBe(2);
    const features = [
      {
        modality: "image" as const,
        hash,
        offset: 1,
        length: 2,
        tensor: "pixels.0",
        inputs: { pixel_attention_mask: "pixels.0.mask" },
      },
    ];
    const pixels = {
      "pixels.0": tensorOf("U8", [1, 3, 2, 2], new Uint8Array(12)),
      "pixels.0.mask": tensorOf("BOOL", [1, 2, 2], new Uint8Array(4)),
    };
    expect(decodeFrame(encodeFrame(example({ features }, pixels))).tensors.size).toBe(2);
  });
});

describe("safetensors header", () => {
  function withHeader(header: string, data = 8): Uint8Array<ArrayBuffer> {
    const json = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
    const file = new Uint8Array(8 + json.length + data);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(json, 8);
    return file;
  }
  const entry = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  const refused: [string, string, string][] = [
    ["duplicate keys", `{"a":${entry},"a":${entry}}`, "repeats a key"],
    ["white space", `{"a": ${entry}}`, "compact"],
    ["a hole", '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', "hole"],
    [
      "an overlap",
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      "overlap",
    ],
    ["bytes behind", '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', "behind the last"],
    ["a wrong width", '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', "wrong width"],
    [
      "a huge shape",
      '{"a":{"dtype":"F32","shape":[9007199254740991,9007199254740991],"data_offsets":[0,8]}}',
      "wrong width",
    ],
    ["a negative size", '{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}', "wrong width"],
    ["an unknown dtype", '{"a":{"dtype":"PICKLE","shape":[2],"data_offsets":[0,8]}}', "not described"],
    ["a list", "[1]", "not an object"],
    [
      "too many tensors",
      `{${Array.from({ length: 65 }, (_, i) => `"t${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join(",")}}`,
      "too many",
    ],
  ];
  it.each(refused)("refuses %s", (_name, header, message) => {
    expect(() => decodeFrame(withHeader(header))).toThrow(message);
  });

  it("refuses a header length beyond the limit before reading on", () => {
    const file = new Uint8Array(16);
    new DataView(file.buffer).setBigUint64(0, 0xffff_ffff_ffff_fff8n, true);
    expect(() => decodeFrame(file)).toThrow("header too long");
  });

  it("refuses to write a tensor whose bytes and shape differ", () => {
    expect(() => encodeSafetensors({ a: tensorOf("F32", [3], new Float32Array(2)) })).toThrow(RangeError);
  });
});

describe("float16", () => {
  it("keeps all 65,536 bit patterns but the payload of NaN", () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const again = encodeF16(decodeF16(bits));
    for (let i = 0; i < 65536; i++) {
      const isNaN = (i & 0x7c00) === 0x7c00 && (i & 0x3ff) !== 0;
      if (isNaN) expect(again[i] & 0x7e00).toBe(0x7e00);
      else expect(again[i]).toBe(i);
    }
  });

  it("rounds to nearest, ties to even", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [2 ** -25, 0x0000],
      [1.5 * 2 ** -24, 0x0002],
      [2 ** -14 - 2 ** -26, 0x0400],
      [-2, 0xc000],
    ];
    for (const [value, bits] of cases) expect(encodeF16(Float32Array.of(value))[0]).toBe(bits);
  });
});
