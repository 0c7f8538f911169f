import { parseProgram } from "./program.ts";
import { Machine } from "./run.ts";

/** Writes the weights into their final place and resolves only when the sha256 of every byte was checked; rejects otherwise. */
export type Fill = (weights: Uint8Array<ArrayBuffer>) => Promise<void>;

/**
 * Loads an encoder: checks the program, takes the memory, has the weights filled in. `program`: bytes whose hash the caller
 * checked. The machine is handed out, and with it the means to run, only after `fill` has resolved. Throws ProgramError or what
 * `fill` throws; nothing of a failed load is kept.
 */
export async function loadEncoder(program: Uint8Array, module: WebAssembly.Module, fill: Fill): Promise<Machine> {
  const machine = new Machine(parseProgram(program), module);
  await fill(machine.weights());
  return machine;
}
