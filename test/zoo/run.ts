import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { formatTable } from "../../infra/releases/cli/format.ts";
import { askAll, PLACEMENTS, type Placement } from "./ask-all.ts";
import { FIXTURES, modelsIn, ZOO, type ZooModel } from "./models.ts";

/**
 * `npm run zoo [-- MODEL ...]`: every model of the zoo through the whole way (edge Worker, encoder, frame, origin), each
 * answer against that of `transformers`, and a table of what was the same and what went over the wire.
 */
const wanted = process.argv.slice(2).filter((name) => !name.startsWith("-"));
const others = modelsIn(ZOO);
if (others.length === 0) {
  console.warn(`ABSENT: there are no models at ${ZOO} (FOVEA_ZOO names another folder). Asking the repository's own.`);
}
await run([...others, ...modelsIn(FIXTURES)].filter(({ name }) => wanted.length === 0 || wanted.includes(name)));

async function run(models: readonly ZooModel[]): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "fovea-zoo-"));
  try {
    const stack = await startStack({ port: 0, originPort: 0, directory, apiKey: "zoo-key" });
    try {
      const rows = [["model", "encoder", "whole", "streamed", "frame bytes", "seconds"]];
      for (const model of models) {
        for (const placement of PLACEMENTS) rows.push(await row(stack, model, placement));
      }
      console.log(formatTable(rows));
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function row(stack: Stack, model: ZooModel, placement: Placement): Promise<string[]> {
  const started = performance.now();
  const { requests, same, differences, frameBytes } = await askAll(stack, model, placement);
  for (const found of differences) console.log(`${model.name} at ${placement}: ${found}`);
  if (differences.length > 0) process.exitCode = 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const of = (count: number): string => `${count} / ${requests}`;
  return [model.name, placement, of(same.whole), of(same.streamed), String(Math.round(frameBytes)), seconds];
}
