import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import OpenAI from "openai";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { formatTable } from "../../infra/releases/cli/format.ts";
import { ask } from "./ask.ts";
import { difference } from "./compare.ts";
import { FAMILIES, readReference, ZOO, zooIsPresent } from "./models.ts";
import { publishFamily } from "./publish.ts";

/**
 * `npm run zoo [-- FAMILY ...]`: every family of the zoo through the whole way (edge Worker, encoder, frame, origin), each
 * answer against that of `transformers`, and a table of what was the same and what went over the wire.
 */
const PLACEMENTS = ["edge", "origin"] as const;
const wanted = process.argv.slice(2).filter((name) => !name.startsWith("-"));

if (zooIsPresent()) await run();
else console.log(`skipped: there is no zoo at ${ZOO} (FOVEA_ZOO names another folder)`);

async function run(): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "fovea-zoo-"));
  try {
    const stack = await startStack({ port: 0, originPort: 0, directory, apiKey: "zoo-key" });
    try {
      const rows = [["family", "encoder", "whole", "streamed", "wire bytes a picture", "seconds"]];
      for (const family of FAMILIES.filter((name) => wanted.length === 0 || wanted.includes(name))) {
        for (const placement of PLACEMENTS) rows.push(await row(stack, family, placement));
      }
      console.log(formatTable(rows));
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function row(stack: Stack, family: string, placement: (typeof PLACEMENTS)[number]): Promise<string[]> {
  const started = performance.now();
  const client = new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey: stack.apiKey, maxRetries: 2 });
  const model = `${family}-at-${placement}`;
  await publishFamily(stack.s3, family, model, placement);
  const { about, requests } = await readReference(family);
  const same = { whole: 0, streamed: 0 };
  let [bytes, pictures] = [0, 0];
  for (const request of requests) {
    for (const mode of ["whole", "streamed"] as const) {
      const found = await ask(client, model, request, mode === "streamed").then(
        (answer) => {
          // A second request names its pictures by hash: the first shows what they weigh
          if (mode === "whole" && request.images.length === 1) {
            bytes += answer.wireBytes;
            pictures++;
          }
          return difference(answer, request, about);
        },
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (found === null) same[mode]++;
      else {
        console.log(`${model} ${request.name} ${mode}: ${found}`);
        process.exitCode = 1;
      }
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const of = (count: number): string => `${count} / ${requests.length}`;
  const wire = pictures === 0 ? "" : String(Math.round(bytes / pictures));
  return [family, placement, of(same.whole), of(same.streamed), wire, seconds];
}
