import path from "node:path";
import { fitStages } from "../../shared/releases/budget.ts";
import { ENCODER_RELEASE_BUDGET_BYTES } from "../../shared/limits/releases.ts";
import type { Release, Stage, StageName } from "../../shared/releases/release.ts";
import type { HubFolder } from "../releases/hub-folder.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";
import { encoderFloorBytes } from "../releases/stage-memory.ts";
import { measureAtEdge } from "./edge-encoder.ts";
import { keptFigure, type Figure } from "./kept-figure.ts";
import { encoderJob, measureAtOrigin, withOriginFiles } from "./origin-stage.ts";
import { processorOf, worstPicture } from "./worst-picture.ts";

/** Tokens of a question beside its picture. */
const TEXT_TOKENS = 64;

/** Figures of two runs differ by what a collector has not taken yet, so a manifest has them in steps of this. */
const STEP_BYTES = 4 * 1024 * 1024;

export interface MeasuredRelease {
  /** With measured memory, and the encoder placed by it. */
  readonly planned: PlannedRelease;
  readonly figures: Readonly<Partial<Record<StageName, Figure>>>;
  /** What was found of the encoder at the edge; null when it was not asked. */
  readonly encoderAtEdge: string | null;
}

export interface MeasureOptions {
  readonly place: "auto" | "edge" | "origin";
  /** Hashes of the release's files: figures are kept by them. */
  readonly files: Release["files"];
  readonly onStage?: (what: string) => void;
  /** Memory of the encoder's isolate; tests give a smaller one. */
  readonly budgetBytes?: number;
  /** Where figures are kept. */
  readonly cacheDir?: string;
}

/**
 * Loads and runs the stages that have weights on the largest picture that is admitted, each where it would run, and puts
 * what they took in place of the estimates. The encoder goes to the edge when it fits there.
 * @throws Error when a stage does not run here; ReleaseError `budget_exceeded` when what must be at the edge does not fit
 */
export async function measureRelease(
  estimated: PlannedRelease,
  hub: HubFolder,
  options: MeasureOptions,
): Promise<MeasuredRelease> {
  const { files, place, onStage = () => undefined, budgetBytes = ENCODER_RELEASE_BUDGET_BYTES } = options;
  const encoder = estimated.stages.vision_encoder;
  const worst = encoder === undefined ? null : worstPicture(await processorOf(hub), encoder.inputs);
  const keep = ({ runtime, files: names }: Stage, where: string, measure: () => Promise<Figure>): Promise<Figure> =>
    keptFigure(
      [runtime, where, names.map((name) => files[name]?.sha256), worst?.source.shape],
      measure,
      options.cacheDir,
    );
  const figures: Partial<Record<StageName, Figure>> = {};
  const stages: Partial<Record<StageName, Stage>> = { ...estimated.stages };
  const settle = (name: StageName, placement: Stage["placement"], figure: Figure): void => {
    const stage = stages[name];
    if (stage === undefined) return;
    figures[name] = figure;
    stages[name] = { ...stage, placement, memoryBytes: Math.ceil(figure.memoryBytes / STEP_BYTES) * STEP_BYTES };
  };

  let encoderAtEdge: string | null = null;
  if (encoder !== undefined && worst !== null && place !== "origin") {
    onStage("the encoder at the edge");
    const measure = () => keep(encoder, "edge", () => measureAtEdge(estimated, worst));
    const tried = await tryEdge(estimated, budgetBytes, measure);
    encoderAtEdge = tried.found;
    if (tried.figure !== null && (tried.fits || place === "edge")) settle("vision_encoder", "edge", tried.figure);
  }
  await withOriginFiles(estimated, async (folder) => {
    if (encoder !== undefined && worst !== null && figures.vision_encoder === undefined) {
      onStage("the encoder at the origin");
      const job = await encoderJob(folder, encoder, hub, worst.source);
      settle("vision_encoder", "origin", await keep(encoder, "origin", () => measureAtOrigin(folder, job)));
    }
    const { embed_tokens, backbone } = stages;
    if (embed_tokens === undefined || backbone === undefined) return;
    onStage("the language model");
    const tokens = TEXT_TOKENS + (worst?.source.num_image_tokens[0] ?? 0);
    const embedTokens = path.join(folder, embed_tokens.files[0] ?? "");
    const embed = await keep(embed_tokens, "origin", () =>
      measureAtOrigin(folder, { stage: "embed_tokens", embedTokens, tokens }),
    );
    settle("embed_tokens", "origin", embed);
    const source = {
      decoder: path.join(folder, backbone.files[0] ?? ""),
      embedTokens,
      config: await hub.json("config.json"),
      generationConfig: hub.has("generation_config.json") ? await hub.json("generation_config.json") : undefined,
    };
    const both = await keep(backbone, "origin", () => measureAtOrigin(folder, { stage: "backbone", source, tokens }));
    // The process holds the embeddings beside it, which have a figure of their own.
    settle("backbone", "origin", { ...both, memoryBytes: Math.max(0, both.memoryBytes - embed.memoryBytes) });
  });
  return { planned: { ...estimated, stages: fitStages(stages, place === "edge") }, figures, encoderAtEdge };
}

interface EdgeTry {
  readonly figure: Figure | null;
  readonly fits: boolean;
  readonly found: string;
}

/** An encoder that could never fit is not loaded; one that fails in the isolate may still run at the origin. */
async function tryEdge(planned: PlannedRelease, budgetBytes: number, measure: () => Promise<Figure>): Promise<EdgeTry> {
  const movable = planned.stages.vision_encoder?.movable === true;
  const floor = floorBytes(planned);
  if (movable && floor > budgetBytes) {
    const found = `runtime and weights alone take ${mib(floor)} of ${mib(budgetBytes)}, so it was not tried`;
    return { figure: null, fits: false, found };
  }
  try {
    const figure = await measure();
    const found = `it takes ${mib(figure.memoryBytes)} of ${mib(budgetBytes)} in the isolate on the largest picture`;
    return { figure, fits: figure.memoryBytes <= budgetBytes, found };
  } catch (error) {
    if (!movable) throw error;
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "").slice(0, 200) : "";
    return { figure: null, fits: false, found: `it does not run in the isolate on the largest picture: ${why}` };
  }
}

function floorBytes({ stages: { vision_encoder }, files }: PlannedRelease): number {
  const names = new Set(vision_encoder?.files);
  const weights = files.filter(({ name }) => names.has(name)).reduce((sum, { size }) => sum + size, 0);
  return encoderFloorBytes(weights, vision_encoder?.dtype ?? "");
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576)} MiB`;
}
