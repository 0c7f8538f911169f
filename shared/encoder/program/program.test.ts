import { describe, expect, it } from "vitest";
import relaxedModule from "../encoder.wasm";
import { instantiate } from "../kernels.ts";
import { ProgramError } from "./error.ts";
import { assembled, random } from "./fixtures.testing.ts";
import { INSTRUCTIONS, KERNELS_VERSION } from "./instructions.ts";
import { callArguments, parseProgram, writeProgram, type Program } from "./program.ts";

const { program: file, weights } = assembled("written-out", 1);

/** null when it is refused; anything thrown that is no ProgramError fails the test. */
function parsed(bytes: Uint8Array): Program | null {
  try {
    return parseProgram(bytes);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ProgramError);
    return null;
  }
}

/** Runs a checked program between two guards; true when neither guard nor a weight changed. */
function staysInside(program: Program): boolean {
  const [guard, base] = [4096, 4096];
  const size = program.weightsBytes + program.arenaBytes;
  const pages = Math.ceil((base + size + guard) / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const kernels = instantiate(relaxedModule, memory);
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(0xa5, base + size);
  for (let i = 0; i < program.weightsBytes; i++) bytes[base + i] = weights[i] ?? 0;
  const before = [bytes.slice(0, base + program.weightsBytes), bytes.slice(base + size)];
  for (const checked of program.instructions) {
    const kernel: (...values: number[]) => void = kernels[checked.instruction.name];
    kernel(...callArguments(checked, base));
  }
  const after = [bytes.subarray(0, base + program.weightsBytes), bytes.subarray(base + size)];
  return before.every((part, i) => part.every((byte, at) => byte === after[i]?.[at]));
}

function wordsStart(): number {
  return 4 + new DataView(file.buffer).getUint32(0, true);
}

describe("parseProgram", () => {
  it("takes what the compiler writes, and it stays inside", () => {
    const program = parseProgram(file);
    expect(program.weightsBytes).toBe(weights.length);
    expect(staysInside(program)).toBe(true);
  });

  it("refuses every truncation", () => {
    for (let length = 0; length < file.length; length += 7)
      expect(parsed(file.subarray(0, length)) === null || length > wordsStart()).toBe(true);
    expect(parsed(file.subarray(0, file.length - 4))).toBe(null);
  });

  it("refuses sizes, places and versions that do not hold", () => {
    const { instructions, ...header } = parseProgram(file);
    const words = new Uint32Array(file.slice(wordsStart()).buffer);
    expect(instructions.length).toBeGreaterThan(10);
    const broken: object[] = [
      { arenaBytes: 16 },
      { weightsBytes: header.weightsBytes - 16 },
      { arenaBytes: 2 ** 40 },
      { kernels: 0 },
      { format: "fovea.encoder/2" },
      { input: { ...header.input, offset: 0 } },
      { input: { ...header.input, dims: [3, 65_536, 65_536] } },
      { output: { ...header.output, offset: header.weightsBytes + header.arenaBytes } },
      { more: 1 },
    ];
    for (const change of broken) {
      expect(() => parseProgram(writeProgram({ ...header, ...change }, words))).toThrow(ProgramError);
    }
    const older = { ...header, kernels: (KERNELS_VERSION - 1) as typeof KERNELS_VERSION };
    expect(() => parseProgram(writeProgram(older, words))).toThrow("publish the model again");
    expect(() => parseProgram(writeProgram(header, new Uint32Array()))).toThrow("empty");
    expect(() => parseProgram(writeProgram(header, Uint32Array.of(INSTRUCTIONS.length)))).toThrow("unknown");
  });

  it("refuses attention over a few bytes that would run for years", () => {
    const [opcode, one] = [INSTRUCTIONS.findIndex(({ name }) => name === "attention"), 0x3f800000];
    const header = {
      format: "fovea.encoder/1",
      kernels: KERNELS_VERSION,
      weightsBytes: 0,
      arenaBytes: 16 * 1024 * 1024,
      input: { offset: 0, dims: [4] },
      output: { offset: 0, rows: 1, width: 4 },
      assumedTrue: [],
    } as const;
    /** Every stride is 0, so that no extent grows with the rows. */
    const attention = (heads: number, queries: number, keys: number): Uint8Array => {
      const strided = Array.from({ length: 12 }, () => 0);
      return writeProgram(header, Uint32Array.of(opcode, ...strided, heads, queries, keys, 4, one, 64));
    };
    expect(parseProgram(attention(12, 1024, 1024)).instructions).toHaveLength(1);
    for (const [heads, queries] of [
      [2 ** 26, 2 ** 26],
      [1, 2 ** 26],
      [2 ** 21, 1],
    ] as const)
      expect(() => parseProgram(attention(heads, queries, 65_536))).toThrow("no valid number of queries and keys");
  });

  it("whatever a number of an instruction is changed to: refused, or still inside (property, 4,000 changes)", () => {
    const start = wordsStart();
    const words = (file.length - start) / 4;
    const next = random(8);
    const program = parseProgram(file);
    const end = program.weightsBytes + program.arenaBytes;
    let accepted = 0;
    for (let i = 0; i < 4000; i++) {
      const changed = file.slice();
      const view = new DataView(changed.buffer);
      for (let n = next(3); n >= 0; n--) {
        const at = start + next(words) * 4;
        const old = view.getUint32(at, true);
        const values = [
          next(2 ** 32),
          next(end + 64),
          old + 4,
          old - 4,
          old * 2,
          old + 1,
          0,
          1,
          2,
          next(256) * 4,
          0xffffffff,
        ];
        view.setUint32(at, values[next(values.length)] ?? 0, true);
      }
      const found = parsed(changed);
      // Work that a changed loop makes is bounded by its extents; runs that would take long tell nothing new here.
      if (found === null) continue;
      const work = found.instructions.reduce((sum, { instruction, values }) => sum + instruction.work(values), 0);
      accepted++;
      if (work < 20e6 && accepted % 8 === 0) expect(staysInside(found)).toBe(true);
    }
    expect(accepted).toBeGreaterThan(100);
  });

  it("whatever bytes of the file are changed: refused or parsed, never another error", () => {
    const next = random(9);
    for (let i = 0; i < 3000; i++) {
      const changed = file.slice();
      for (let n = next(4); n >= 0; n--) changed[next(Math.min(changed.length, 600))] = next(256);
      parsed(changed);
    }
    expect(parsed(file)).not.toBe(null);
  });
});
