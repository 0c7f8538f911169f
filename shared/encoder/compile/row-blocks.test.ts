import { describe, expect, it } from "vitest";
import module from "../encoder.wasm";
import { GOLDEN, onnxOf, pictureOf, sha256 } from "../program/fixtures.testing.ts";
import { parseProgram } from "../program/program.ts";
import { Machine } from "../program/run.ts";
import { assemble } from "./assemble.ts";
import { compileGraph } from "./compile.ts";
import { LINEAR_KINDS, packWeights } from "./pack.ts";

const NAMES = ["vit", "idefics3", "written-out"] as const;

describe("blockRows and groupHeads", () => {
  for (const name of NAMES) {
    for (const kind of ["i8_u7", "i16_i8", "f32"] as const) {
      it(`${name} with ${kind}: blocks of rows and single heads change no bit, nor the weights, and need less memory`, async () => {
        const compiled = compileGraph(onnxOf(name));
        if ("unsupported" in compiled) throw new Error(compiled.unsupported);
        const whole = assemble(compiled.steps, () => LINEAR_KINDS[kind]);
        for (const rows of [4, 8]) {
          const { program, weights } = assemble(compiled.steps, () => LINEAR_KINDS[kind], packWeights, {
            blockRows: rows,
          });
          expect(weights).toEqual(whole.weights);
          const parsed = parseProgram(program);
          expect(parsed.instructions.length).toBeGreaterThan(parseProgram(whole.program).instructions.length);
          expect(parsed.arenaBytes).toBeLessThanOrEqual(parseProgram(whole.program).arenaBytes);
          const machine = new Machine(parsed, module);
          machine.weights().set(weights);
          const features = await machine.run((input) => input.set(pictureOf(name)));
          expect(await sha256(features)).toBe(GOLDEN[name].sha256[kind]);
        }
      });
    }
  }
});
