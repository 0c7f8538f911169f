import { expect, it } from "vitest";
import { Random } from "../../../bench/graphs/random.ts";
import { compare } from "./against-onnxruntime.ts";
import { randomGraph } from "./random-graph.ts";

/** `FOVEA_GRAPHS=3000 vitest run test/golden/encoder/random-graph.test.ts` looks further. */
const GRAPHS = Number(process.env["FOVEA_GRAPHS"] ?? 200);
/** Attention is in bytes. */
const LEAST_COSINE = 0.998;

it(`gives what onnxruntime gives, or names what it lacks (${GRAPHS} random graphs, whole and in small blocks)`, async () => {
  let taken = 0;
  for (let seed = 0; seed < GRAPHS; seed++) {
    const { onnx, side } = randomGraph(seed);
    const pixels = new Random(seed).normal(3 * side * side, 1);
    for (const sizes of [{}, { blockRows: 7, groupBytes: 600 }]) {
      const found = await compare(onnx, pixels, sizes);
      if (typeof found === "string") {
        expect(found, `graph ${seed}`).toMatch(/^\w+ \(node \/\w+\): /);
        continue;
      }
      taken++;
      expect(found.cosine, `graph ${seed}`).toBeGreaterThan(LEAST_COSINE);
      expect(Math.abs(found.ratio - 1), `graph ${seed}`).toBeLessThan(0.03);
    }
  }
  // Most of them are of what the runtime has.
  expect(taken).toBeGreaterThan(1.5 * GRAPHS);
}, 600_000);
