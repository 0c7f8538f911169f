import type { LinearStep, Steps } from "../graph/steps.ts";
import { parseProgram } from "../program/program.ts";
import { Machine } from "../program/run.ts";
import { assemble, type Assembled } from "./assemble.ts";
import { LINEAR_KINDS, packWeights, type LinearKind, type PackedWeights } from "./pack.ts";

/** One of the release's example pictures: its tiles, and what the float32 graph makes of them. */
export interface GatePicture {
  /** f32, one a tile, in the order of the program's input. */
  readonly tiles: readonly Float32Array[];
  /** f32 [tiles x rows, width], by the reference. */
  readonly image_features: Float32Array;
}

/** Cosine that every picture must reach. */
export const GATE_COSINE = 0.999;

/** What the search aims at: half of the allowed error, because pictures that nobody measured must pass too. */
const TARGET_COSINE = 1 - (1 - GATE_COSINE) / 2;

/** Pictures that the search looks at: the ones with the largest error. All are measured at the end. */
const SEARCH_PICTURES = 4;

const KIND_NAMES: Readonly<Record<LinearKind, keyof typeof LINEAR_KINDS>> = { 0: "i8_u7", 1: "i16_i8", 2: "f32" };

export interface LayerReport {
  readonly name: string;
  readonly rows: number;
  readonly k: number;
  readonly n: number;
  readonly kind: keyof typeof LINEAR_KINDS;
}

export interface Calibration extends Assembled {
  readonly passed: boolean;
  /** Cosine of each picture to its reference. */
  readonly cosines: readonly number[];
  readonly layers: readonly LayerReport[];
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? NaN, b[i] ?? NaN];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

/** The machine's features of one picture, all tiles. */
export async function featuresOf(machine: Machine, tiles: readonly Float32Array[]): Promise<Float32Array> {
  const { rows, width } = machine.program.output;
  const features = new Float32Array(tiles.length * rows * width);
  for (const [i, tile] of tiles.entries()) {
    features.set(await machine.run((input) => input.set(tile)), i * rows * width);
  }
  return features;
}

interface Packed {
  readonly kind: LinearKind;
  readonly bias: Float32Array | null;
  readonly n: number;
  readonly made: PackedWeights;
}

class Search {
  readonly #steps: Steps;
  readonly #module: WebAssembly.Module;
  readonly #packed = new Map<Float32Array, Packed[]>();

  constructor(steps: Steps, module: WebAssembly.Module) {
    this.#steps = steps;
    this.#module = module;
  }

  assemble(kinds: ReadonlyMap<LinearStep, LinearKind>): Assembled {
    const pack: typeof packWeights = (kind, weights, bias, k, n) => {
      const known = this.#packed.get(weights) ?? [];
      this.#packed.set(weights, known);
      const found = known.find((one) => one.kind === kind && one.bias === bias && one.n === n);
      if (found !== undefined) return found.made;
      const made = packWeights(kind, weights, bias, k, n);
      known.push({ kind, bias, n, made });
      return made;
    };
    // By their weights: the assembler may compute one product in several blocks of rows.
    const byWeight = new Map([...kinds].map(([{ weight }, kind]) => [weight, kind] as const));
    return assemble(this.#steps, ({ weight }) => byWeight.get(weight) ?? LINEAR_KINDS.i8_u7, pack);
  }

  async cosines(kinds: ReadonlyMap<LinearStep, LinearKind>, pictures: readonly GatePicture[]): Promise<number[]> {
    const { program, weights } = this.assemble(kinds);
    const machine = new Machine(parseProgram(program), this.#module);
    machine.weights().set(weights);
    const found: number[] = [];
    for (const { tiles, image_features } of pictures) {
      found.push(cosine(await featuresOf(machine, tiles), image_features));
    }
    return found;
  }
}

/**
 * Finds how each product may be computed so that every picture keeps its cosine to the float32 graph. All begin with 7-bit
 * weights; those whose promotion helps most go to 8-bit weights on the int16 path, and, if that is not enough, to float32.
 * The order comes from measuring each promotion alone; how many are needed, from bisection. `onProgress`: share of the work.
 */
export async function calibrate(
  steps: Steps,
  pictures: readonly GatePicture[],
  module: WebAssembly.Module,
  onProgress: (share: number) => void = () => undefined,
): Promise<Calibration> {
  const search = new Search(steps, module);
  const linears = steps.steps.filter((step) => step.kind === "linear");
  const kinds = new Map<LinearStep, LinearKind>(linears.map((step) => [step, LINEAR_KINDS.i8_u7]));
  let cosines = await search.cosines(kinds, pictures);
  const good = (found: readonly number[]): boolean => found.every((value) => value >= TARGET_COSINE);
  const worst = pictures
    .map((picture, i) => ({ picture, cosine: cosines[i] ?? 0 }))
    .toSorted((a, b) => a.cosine - b.cosine)
    .slice(0, SEARCH_PICTURES)
    .map(({ picture }) => picture);
  const levels = [LINEAR_KINDS.i16_i8, LINEAR_KINDS.f32];
  for (const [level, kind] of levels.entries()) {
    if (good(cosines)) break;
    const gains: { step: LinearStep; gain: number }[] = [];
    for (const [i, step] of linears.entries()) {
      const found = await search.cosines(new Map(kinds).set(step, kind), worst);
      gains.push({ step, gain: found.reduce((sum, value) => sum + value, 0) });
      onProgress((level + (i + 1) / linears.length) / levels.length);
    }
    const ranked = gains.toSorted((a, b) => b.gain - a.gain).map(({ step }) => step);
    const promoted = (count: number): Map<LinearStep, LinearKind> =>
      new Map([...kinds, ...ranked.slice(0, count).map((step) => [step, kind] as const)]);
    let [low, high] = [0, ranked.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (good(await search.cosines(promoted(middle), worst))) high = middle;
      else low = middle;
    }
    // What held for the worst must hold for all; a few more promotions where it does not.
    for (; high <= ranked.length; high++) {
      cosines = await search.cosines(promoted(high), pictures);
      if (good(cosines) || high === ranked.length) break;
    }
    for (const [step, chosen] of promoted(high)) kinds.set(step, chosen);
  }
  onProgress(1);
  const layers = linears.map((step) => {
    const { name, rows, k, n } = step;
    return { name, rows, k, n, kind: KIND_NAMES[kinds.get(step) ?? LINEAR_KINDS.i8_u7] };
  });
  const passed = pictures.length > 0 && cosines.every((value) => value >= GATE_COSINE);
  return { ...search.assemble(kinds), passed, cosines, layers };
}
