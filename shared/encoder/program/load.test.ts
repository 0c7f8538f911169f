import { describe, expect, it } from "vitest";
import relaxedModule from "../encoder.wasm";
import { ProgramError } from "./error.ts";
import { assembled, GOLDEN, pictureOf, sha256 } from "./fixtures.testing.ts";
import { loadEncoder } from "./load.ts";

const { program, weights } = assembled("vit");

describe("loadEncoder", () => {
  it("has the weights filled into their place, takes no more memory than the program says, and runs", async () => {
    const machine = await loadEncoder(program, relaxedModule, async (place) => {
      await Promise.resolve();
      place.set(weights);
    });
    const features = await machine.run((input) => input.set(pictureOf("vit")));
    expect(await sha256(features)).toBe(GOLDEN.vit.sha256.i8_u7);
    expect(machine.memoryBytes).toBeLessThan(weights.length + machine.program.arenaBytes + 2 * 65_536);
  });

  it("hands nothing out when the weights could not be had, or the program is none", async () => {
    const refused = loadEncoder(program, relaxedModule, () => Promise.reject(new Error("other bytes")));
    await expect(refused).rejects.toThrow("other bytes");
    const cut = loadEncoder(program.slice(0, 50), relaxedModule, () => Promise.resolve());
    await expect(cut).rejects.toThrow(ProgramError);
  });
});
