import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { defineCommand } from "citty";
import { compileEncoder, type CompiledEncoder } from "../encoder/compile-encoder.ts";
import { describePicture, describeStages } from "../import/describe.ts";
import { checkModel, placeModel } from "../import/place-model.ts";
import { openSource, sourceArgs } from "../import/source-args.ts";
import { formatBytes, formatTable } from "../releases/cli/format.ts";
import { ProgressBar } from "../releases/cli/progress.ts";
import { chooseGraphs } from "../releases/hub-folder.ts";
import { UnavailableError } from "../usage.ts";

/** `fovea plan MODEL`: where each stage of a model would run, by numbers; which runtime would encode, and why. */
export default defineCommand({
  meta: { name: "plan", description: "Where each stage of a model would run and what it takes; publishes nothing" },
  args: {
    ...sourceArgs,
    graph: { type: "string", description: "Encoder graph, inside the folder (default: that of the dtype)" },
    reference: { type: "string", description: "Graph that says what is right (default: the same)" },
    pictures: { type: "string", description: "Folder of pictures to measure on (default: the model's examples)" },
    out: { type: "string", description: "Folder to write the compiled encoder to: program and weights" },
    layers: { type: "boolean", default: false, description: "List every product with its arithmetic" },
    json: { type: "boolean", default: false, description: "Print one JSON object" },
  },
  async run({ args }) {
    const { reference, pictures } = args;
    const progress = new ProgressBar(process.stderr, { quiet: args.json });
    const source = await openSource(args.source, {
      revision: args.revision,
      onProgress: (done, total) => progress.update("download", done, total),
    });
    const onHashed = (done: number, total: number): void => progress.update("hash", done, total);
    const checked = await checkModel(source, { ...args, onHashed });
    const onStage = (what: string): void => progress.note(`measuring ${what} ...`);
    const placed = await placeModel(checked, { ...args, onStage });
    const chosen = chooseGraphs(checked.folder, args.dtype).find(({ stage }) => stage === "vision_encoder");
    const graph = args.graph ?? chosen?.file;
    if (graph !== undefined) progress.note("compiling the encoder ...");
    const compiled =
      graph === undefined
        ? null
        : await compileEncoder(path.resolve(checked.folder.root), {
            graph,
            ...(reference === undefined ? {} : { reference }),
            ...(pictures === undefined ? {} : { pictures: path.resolve(pictures) }),
          });
    progress.clear();
    if (args.out !== undefined && compiled !== null) await write(compiled, args.out);
    const { planned, ...numbers } = placed;
    if (args.json) {
      const encoder = compiled === null ? null : report(compiled);
      console.log(JSON.stringify({ from: source.from, stages: planned.stages, ...numbers, encoder }, null, 2));
      return;
    }
    const lines = [source.from, `  licence  ${planned.license}`, describeStages(placed), ...describePicture(placed)];
    console.log([...lines, ...(compiled === null ? [] : describe(compiled, args.layers))].join("\n"));
  },
});

/** The two files that a release holds: `vision_encoder.program` and `vision_encoder.weights`. */
async function write({ calibration, choice }: CompiledEncoder, folder: string): Promise<void> {
  if (calibration === null) throw new UnavailableError(`There is nothing to write: ${choice.reason}.`);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "vision_encoder.program"), calibration.program);
  await writeFile(path.join(folder, "vision_encoder.weights"), calibration.weights);
}

function report({ choice, facts, calibration, weightsBytes, arenaBytes }: CompiledEncoder) {
  const { layers = [], cosines = [], program } = calibration ?? {};
  return { ...choice, facts, weightsBytes, arenaBytes, programFileBytes: program?.length ?? null, cosines, layers };
}

/** Which runtime encodes at the edge, and how each of the encoder's products is computed. */
function describe(compiled: CompiledEncoder, all: boolean): string[] {
  const { choice, calibration, weightsBytes, arenaBytes } = compiled;
  const lines = [`  encoder's runtime at the edge: ${choice.runtime}: ${choice.reason}`];
  if (calibration === null || weightsBytes === null || arenaBytes === null) return lines;
  lines.push(`    memory    ${formatBytes(weightsBytes)} of weights, ${formatBytes(arenaBytes)} of arena`);
  const counts = new Map<string, number>();
  for (const { kind } of calibration.layers) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  lines.push(`    products  ${[...counts].map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
  if (all) {
    lines.push(
      formatTable(calibration.layers.map(({ name, rows, k, n, kind }) => [kind, `${rows} x ${k} x ${n}`, name])),
    );
  }
  return lines;
}
