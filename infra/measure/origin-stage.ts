import { copyFile, link, mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { serialize } from "node:v8";
import * as z from "zod";
import type { EncoderThreadData } from "../../functions/origin/encoder/messages.ts";
import type { BackboneSource } from "../../functions/origin/backbones/open.ts";
import type { SessionSettings } from "../../functions/origin/backbones/sessions.ts";
import type { EncoderSource } from "../../shared/encoding/encoder-inputs.ts";
import type { Stage } from "../../shared/releases/release.ts";
import { runNode } from "../process/run.ts";
import type { HubFolder } from "../releases/hub-folder.ts";
import { readPlanned, type PlannedFile } from "../releases/file-plan.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";
import type { Figure } from "./kept-figure.ts";

/** What the process is asked to run; paths are those of the stage's files as a release lays them out. */
export type OriginJob =
  | {
      readonly stage: "vision_encoder";
      readonly encoder: Omit<EncoderThreadData, keyof SessionSettings>;
      readonly source: EncoderSource;
    }
  | { readonly stage: "embed_tokens"; readonly embedTokens: string; readonly tokens: number }
  | {
      readonly stage: "backbone";
      readonly source: Omit<BackboneSource, keyof SessionSettings | "maxSequences">;
      readonly tokens: number;
    };

const resultSchema = z.union([
  z.object({ memoryBytes: z.number(), loadMs: z.number(), runMs: z.number() }),
  z.object({ exceeded: z.number() }),
]);

const COPY_BYTES = 8 * 1024 * 1024;

/** The origin's stages of a release on disk, for as long as `work` takes. */
export async function withOriginFiles<T>(
  { files, stages }: PlannedRelease,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "fovea-measure-"));
  try {
    const wanted = new Set(
      [stages.vision_encoder, stages.embed_tokens, stages.backbone].flatMap((stage) => stage?.files ?? []),
    );
    for (const file of files.filter(({ name }) => wanted.has(name))) await lay(file, path.join(folder, file.name));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a stage in a process of its own.
 * @throws Error with its own words when it cannot run, or what it took when that was more than the machine has
 */
export async function measureAtOrigin(folder: string, job: OriginJob): Promise<Figure> {
  const file = path.join(folder, `${job.stage}.job`);
  await writeFile(file, serialize(job));
  const { code, stdout, stderr } = await runNode([path.join(import.meta.dirname, "origin-process.ts"), file]);
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || line === "") throw new Error(`the ${job.stage} does not run here: ${lastLine(stderr)}`);
  const result = resultSchema.parse(JSON.parse(line));
  if ("exceeded" in result) {
    throw new Error(
      `the ${job.stage} takes more than ${Math.floor(result.exceeded / 1e9)} GB on the largest picture that is admitted`,
    );
  }
  return result;
}

export async function encoderJob(
  folder: string,
  { files: [graph = ""], inputs }: Stage,
  hub: HubFolder,
  source: EncoderSource,
): Promise<OriginJob> {
  const json = (name: string): Promise<unknown> => (hub.has(name) ? hub.json(name) : Promise.resolve(undefined));
  const encoder = {
    graph: path.join(folder, graph),
    inputs,
    preprocessorConfig: await json("preprocessor_config.json"),
    processorConfig: await json("processor_config.json"),
    config: await json("config.json"),
  };
  return { stage: "vision_encoder", encoder, source };
}

async function lay(file: PlannedFile, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const [only] = file.segments;
  if (file.segments.length === 1 && only?.kind === "range" && only.offset === 0) {
    const { path: source } = only;
    await link(source, target).catch(() => copyFile(source, target));
    return;
  }
  const handle = await open(target, "w");
  try {
    for (let at = 0; at < file.size; at += COPY_BYTES) {
      const bytes = new Uint8Array(Math.min(COPY_BYTES, file.size - at));
      await readPlanned(file, at, bytes);
      await handle.write(bytes, 0, bytes.length, at);
    }
  } finally {
    await handle.close();
  }
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split("\n")
      .find((line) => /Error/.test(line)) ??
    text.trim().split("\n").at(-1) ??
    ""
  ).slice(0, 300);
}
