import { parseProgram, callArguments } from "../../shared/encoder/program/program.ts";
import { assemble } from "../../shared/encoder/compile/assemble.ts";
import { compileGraph } from "../../shared/encoder/compile/compile.ts";
import { LINEAR_KINDS } from "../../shared/encoder/compile/pack.ts";
import { instantiate } from "../../shared/encoder/kernels.ts";
import { encoderModule } from "../../infra/encoder/compile-encoder.ts";
import { encoderGraph, SHAPES } from "../graphs/encoder.ts";
import { benchPixels } from "./pixels.ts";
import { standInModule } from "./stand-in.ts";

/**
 * Where the time of an encoder goes. usage: node bench/encoder/profile.ts [vit | siglip | smolvlm] [ROUNDS] [--fma]. Each instruction's
 * least time of all rounds, which a busy machine disturbs least, summed by kernel and shape. Runs in Node's V8, whose clock does
 * not stand still: that of Node 22 does not use AVX-VNNI, later ones do, unless `--no-enable-avx-vnni` stands before the file.
 * `--wasm-enforce-bounds-checks` there has every address checked, as workerd does. --fma: see stand-in.ts.
 */
const BASE = 1024;
const fma = process.argv.includes("--fma");
const [wanted = "vit", rounds = "20"] = process.argv.slice(2).filter((argument) => argument !== "--fma");
const shape = SHAPES.find(({ name }) => name.toLowerCase().includes(wanted));
if (shape === undefined) throw new Error(`No model is called ${wanted}.`);
const compiled = compileGraph(encoderGraph(shape));
if ("unsupported" in compiled) throw new Error(compiled.unsupported);
const { program, weights } = assemble(compiled.steps, () => LINEAR_KINDS.i8_u7);
const { instructions, input, weightsBytes, arenaBytes } = parseProgram(program);
const pages = Math.ceil((BASE + weightsBytes + arenaBytes) / 65_536);
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
const kernels = instantiate(fma ? await standInModule() : await encoderModule(), memory);
const pairs = !fma && kernels.hasDot7() === 0;
kernels.usePairs(Number(pairs));
new Uint8Array(memory.buffer, BASE, weightsBytes).set(weights);

const calls = instructions.map((checked) => {
  const { instruction, values } = checked;
  const kernel: (...numbers: number[]) => void = kernels[instruction.name];
  const [rows, k, n] = values.slice(9, 12);
  const name = instruction.name === "linear" ? `linear [${rows}, ${k}] x [${k}, ${n}]` : instruction.name;
  const numbers = callArguments(checked, BASE);
  return { name, work: instruction.work(values), call: () => kernel(...numbers), least: Infinity };
});
for (let round = 0; round < Number(rounds); round++) {
  new Float32Array(memory.buffer, BASE + input.offset).set(benchPixels(shape.image));
  for (const one of calls) {
    const started = performance.now();
    one.call();
    one.least = Math.min(one.least, performance.now() - started);
  }
}
const total = calls.reduce((sum, { least }) => sum + least, 0);
const instruction = fma ? "a stand-in" : pairs ? "pairs" : "one instruction";
console.log(`${shape.name}: ${total.toFixed(1)} ms, byte dot by ${instruction}, Node ${process.version}`);
const parts = [...new Set(calls.map(({ name }) => name))].map((name) => {
  const group = calls.filter((one) => one.name === name);
  return {
    name,
    ms: group.reduce((sum, { least }) => sum + least, 0),
    work: group.reduce((sum, one) => sum + one.work, 0),
  };
});
for (const { name, ms, work } of parts.toSorted((a, b) => b.ms - a.ms)) {
  const share = ((100 * ms) / total).toFixed(1).padStart(5);
  console.log(
    `${share} %  ${ms.toFixed(2).padStart(8)} ms  ${(work / ms / 1e6).toFixed(1).padStart(6)} GMAC/s  ${name}`,
  );
}
