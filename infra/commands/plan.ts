import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { defineCommand } from "citty";
import { compileEncoder, type CompiledEncoder } from "../encoder/compile-encoder.ts";
import { UsageError } from "../usage.ts";
import { formatBytes, formatTable } from "../releases/cli/format.ts";

/** `fovea plan MODEL_DIR`: which runtime would encode for this model, why, and how each of its products is computed. */
export default defineCommand({
  meta: { name: "plan", description: "Which runtime encodes a model's pictures, and why" },
  args: {
    dir: { type: "positional", required: true, description: "Model folder in the layout of the Hugging Face hub" },
    graph: { type: "string", default: "onnx/vision_encoder.onnx", description: "Encoder graph, inside the folder" },
    reference: { type: "string", description: "Graph that says what is right (default: the same)" },
    pictures: { type: "string", description: "Folder of pictures to measure on (default: the model's examples)" },
    out: { type: "string", description: "Folder to write the compiled encoder to: program and weights" },
    layers: { type: "boolean", default: false, description: "List every product with its arithmetic" },
    json: { type: "boolean", default: false, description: "Print one JSON object" },
  },
  async run({ args }) {
    const { dir, graph, reference, pictures } = args;
    const compiled = await compileEncoder(path.resolve(dir), {
      graph,
      ...(reference === undefined ? {} : { reference }),
      ...(pictures === undefined ? {} : { pictures: path.resolve(pictures) }),
    });
    if (args.out !== undefined) await write(compiled, args.out);
    console.log(args.json ? JSON.stringify(report(compiled), null, 2) : describe(compiled, args.layers));
  },
});

/** The two files that a release holds: `vision_encoder.program` and `vision_encoder.weights`. */
async function write({ calibration, choice }: CompiledEncoder, folder: string): Promise<void> {
  if (calibration === null) throw new UsageError(`There is nothing to write: ${choice.reason}.`);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "vision_encoder.program"), calibration.program);
  await writeFile(path.join(folder, "vision_encoder.weights"), calibration.weights);
}

function report({ choice, facts, calibration, weightsBytes, arenaBytes }: CompiledEncoder) {
  const { layers = [], cosines = [], program } = calibration ?? {};
  return { ...choice, facts, weightsBytes, arenaBytes, programFileBytes: program?.length ?? null, cosines, layers };
}

function describe(compiled: CompiledEncoder, all: boolean): string {
  const { choice, calibration, weightsBytes, arenaBytes } = compiled;
  const lines = [`runtime   ${choice.runtime}`, `reason    ${choice.reason}`];
  if (calibration === null || weightsBytes === null || arenaBytes === null) return lines.join("\n");
  lines.push(`memory    ${formatBytes(weightsBytes)} of weights, ${formatBytes(arenaBytes)} of arena`);
  const counts = new Map<string, number>();
  for (const { kind } of calibration.layers) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  lines.push(`products  ${[...counts].map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
  if (all) {
    lines.push(
      "",
      formatTable(calibration.layers.map(({ name, rows, k, n, kind }) => [kind, `${rows} x ${k} x ${n}`, name])),
    );
  }
  return lines.join("\n");
}
