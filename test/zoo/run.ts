import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { ROOT } from "../../infra/paths.ts";
import { formatTable } from "../../infra/releases/cli/format.ts";
import { askAll, type Outcome, type Placement } from "./ask-all.ts";
import { familyOf, FIXTURES, modelsIn, ZOO, type ZooModel } from "./models.ts";
import { writeRows, type Row } from "./table.ts";

/**
 * `npm run zoo [-- MODEL ...]`: every model of the zoo through the whole way (edge Worker, encoder, frame, origin), each
 * answer against that of `transformers`. What was the same, and what went over the wire, goes into the README's table.
 */
const wanted = process.argv.slice(2);
const others = modelsIn(ZOO);
const models = [...others, ...modelsIn(FIXTURES)];
const unknown = wanted.find((name) => models.every((model) => model.name !== name));
if (unknown !== undefined) {
  console.error(`npm run zoo [-- MODEL...]\n\n  ${models.map(({ name }) => name).join("\n  ")}`);
  process.exit(unknown === "--help" ? 0 : 2);
}
await run(models.filter(({ name }) => wanted.length === 0 || wanted.includes(name)));
if (others.length === 0) {
  console.warn(`ABSENT: there are no models at ${ZOO} (FOVEA_ZOO names another folder).`);
  console.warn("Only the repository's own were asked; the table keeps what it said of the others.");
}

async function run(models: readonly ZooModel[]): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "fovea-zoo-"));
  try {
    const stack = await startStack({ port: 0, originPort: 0, directory, apiKey: "zoo-key" });
    try {
      const rows: Row[] = [];
      for (const model of models) rows.push(await row(stack, model));
      console.log(formatTable(rows));
      await writeRows(path.join(ROOT, "README.md"), rows);
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function row(stack: Stack, model: ZooModel): Promise<Row> {
  const edge = await outcomeAt(stack, model, "edge");
  const origin = await outcomeAt(stack, model, "origin");
  const bytes = [edge, origin].map(({ frameBytes }) => Math.round(frameBytes).toLocaleString("en"));
  return [model.name, await familyOf(model), parity(edge), parity(origin), ...bytes];
}

async function outcomeAt(stack: Stack, model: ZooModel, placement: Placement): Promise<Outcome> {
  const outcome = await askAll(stack, model, placement);
  for (const found of outcome.differences) console.error(`${model.name} at ${placement}: ${found}`);
  if (outcome.differences.length > 0) process.exitCode = 1;
  return outcome;
}

function parity({ requests, same }: Outcome): string {
  return `${same.whole}/${requests}, ${same.streamed}/${requests}`;
}
