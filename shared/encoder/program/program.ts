import * as z from "zod";
import { MAX_ENCODER_MEMORY_BYTES, MAX_PROGRAM_BYTES } from "../../limits/encoder.ts";
import { ProgramError } from "./error.ts";
import { INSTRUCTIONS, KERNELS_VERSION, NONE, type Instruction } from "./instructions.ts";

/**
 * The file of a program: u32 length of the header | header, JSON | instructions, u32 words, all little-endian.
 * An instruction is its opcode and its operands. Places are byte offsets into one space: first the weights, then the arena.
 */

const bytes = z.int().min(0).max(MAX_ENCODER_MEMORY_BYTES);
const dim = z.int().min(1).max(65_536);

const headerSchema = z
  .strictObject({
    format: z.literal("fovea.encoder/1"),
    kernels: z.literal(KERNELS_VERSION, {
      error: ({ input }) =>
        `made for ${typeof input === "number" ? `version ${input}` : "no version"} of the kernels, these are version ${KERNELS_VERSION}: publish the model again`,
    }),
    weightsBytes: bytes,
    arenaBytes: bytes,
    /** pixel_values of one picture or tile, f32 row-major. */
    input: z.strictObject({ offset: bytes, dims: z.array(dim).min(1).max(4).readonly() }).readonly(),
    /** image_features f32 [rows, width]. */
    output: z.strictObject({ offset: bytes, rows: dim, width: dim }).readonly(),
    /** Inputs of the graph that must be all true. */
    assumedTrue: z.array(z.string().min(1).max(100)).max(4).readonly(),
  })
  .readonly();

export type ProgramHeader = z.infer<typeof headerSchema>;

/** An instruction that was checked; values as in the file. */
export interface Checked {
  readonly instruction: Instruction;
  readonly values: readonly number[];
}

export interface Program extends ProgramHeader {
  readonly instructions: readonly Checked[];
}

/** Serialises a program; the compiler's side. */
export function writeProgram(header: ProgramHeader, words: Uint32Array): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 4) * 4;
  const file = new Uint8Array(4 + padded + words.length * 4);
  const view = new DataView(file.buffer);
  view.setUint32(0, padded, true);
  file.fill(0x20, 4, 4 + padded);
  file.set(text, 4);
  for (const [i, word] of words.entries()) view.setUint32(4 + padded + i * 4, word, true);
  return file;
}

function parseHeader(file: Uint8Array): { header: ProgramHeader; words: DataView } {
  if (file.length < 4 || file.length > MAX_PROGRAM_BYTES) throw new ProgramError("The program has no valid size.");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(0, true);
  const start = 4 + length;
  if (start > file.length || (file.length - start) % 4 !== 0)
    throw new ProgramError("The program's header does not end.");
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(file.subarray(4, start)));
  } catch (cause) {
    throw new ProgramError("The program's header is no JSON.", { cause });
  }
  const result = headerSchema.safeParse(parsed);
  if (!result.success) throw new ProgramError(`The program's header: ${z.prettifyError(result.error)}`);
  return { header: result.data, words: new DataView(file.buffer, file.byteOffset + start, file.length - start) };
}

/** Refuses an instruction any byte of which lies outside of its space, or that would write into the weights. */
function checkExtents(at: number, { instruction, values }: Checked, header: ProgramHeader): void {
  const refuse = (reason: string): ProgramError =>
    new ProgramError(`Instruction ${at} (${instruction.name}): ${reason}.`);
  const extents = instruction.extents(values);
  if (typeof extents === "string") throw refuse(`no valid ${extents}`);
  const end = header.weightsBytes + header.arenaBytes;
  for (const extent of extents) {
    if (!Number.isSafeInteger(extent.bytes) || extent.start % 4 !== 0) throw refuse("a place between two floats");
    if (extent.start + extent.bytes > end) throw refuse("reaches past the arena");
    if (extent.write && extent.start < header.weightsBytes) throw refuse("writes into the weights");
  }
}

/** Parses and checks a program. Throws ProgramError; what it returns touches nothing outside of its weights and arena. */
export function parseProgram(file: Uint8Array): Program {
  const { header, words } = parseHeader(file);
  const { weightsBytes, arenaBytes, input, output } = header;
  if (weightsBytes + arenaBytes > MAX_ENCODER_MEMORY_BYTES)
    throw new ProgramError("The program needs too much memory.");
  if (weightsBytes % 16 !== 0 || arenaBytes % 16 !== 0) throw new ProgramError("The program's sizes are not aligned.");
  const end = weightsBytes + arenaBytes;
  const inputBytes = input.dims.reduce((product, size) => product * size, 4);
  const places = [
    { offset: input.offset, size: inputBytes },
    { offset: output.offset, size: output.rows * output.width * 4 },
  ];
  for (const { offset, size } of places) {
    if (offset % 4 !== 0 || offset < weightsBytes || offset + size > end)
      throw new ProgramError("The program's input or output lies outside of its arena.");
  }
  const instructions: Checked[] = [];
  const count = words.byteLength / 4;
  for (let at = 0; at < count;) {
    const instruction = INSTRUCTIONS[words.getUint32(at * 4, true)];
    if (instruction === undefined) throw new ProgramError(`Instruction ${instructions.length} is unknown.`);
    at++;
    if (at + instruction.operands.length > count) throw new ProgramError("The last instruction does not end.");
    const values = instruction.operands.map((operand, i) => {
      const place = (at + i) * 4;
      return operand === "float" ? words.getFloat32(place, true) : words.getUint32(place, true);
    });
    at += values.length;
    const checked = { instruction, values };
    checkExtents(instructions.length, checked, header);
    instructions.push(checked);
  }
  if (instructions.length === 0) throw new ProgramError("The program is empty.");
  return { ...header, instructions };
}

/** The arguments of the kernel's call, with places moved to where the space begins in memory. */
export function callArguments({ instruction, values }: Checked, base: number): number[] {
  return values.map((value, i) => {
    const operand = instruction.operands[i];
    if (operand === "int" || operand === "float") return value;
    return operand === "maybe" && value === NONE ? 0 : value + base;
  });
}
