import { fitStages } from "../../shared/releases/budget.ts";
import { ENCODER_RELEASE_BUDGET_BYTES } from "../../shared/limits/releases.ts";
import { runsOf } from "../../shared/encoding/encoder-inputs.ts";
import type { Release, Stage, StageName } from "../../shared/releases/release.ts";
import type { HubFolder } from "../releases/hub-folder.ts";
import { imageProcessorOf } from "../releases/image-processor.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";
import { encoderFloorBytes } from "../releases/stage-memory.ts";
import { measureAtEdge } from "./edge-encoder.ts";
import { keptFigure, type Figure } from "./kept-figure.ts";
import { OriginStages } from "./origin-stages.ts";
import { worstPicture, type WorstPicture } from "./worst-picture.ts";

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
  const measuring = new Measuring(estimated, options);
  const origin = new OriginStages(estimated, hub);
  try {
    const encoder = estimated.stages.vision_encoder;
    const worst = encoder === undefined ? null : worstPicture(await imageProcessorOf(hub), encoder.inputs);
    let encoderAtEdge: string | null = null;
    if (encoder !== undefined && worst !== null) {
      if (options.place !== "origin") encoderAtEdge = await measuring.encoderAtEdge(encoder, worst);
      if (!measuring.has("vision_encoder")) await measuring.encoderAtOrigin(worst, origin);
    }
    await measuring.languageModel(TEXT_TOKENS + (worst?.source.num_image_tokens[0] ?? 0), origin);
    const stages = fitStages(measuring.stages, options.place === "edge");
    return { planned: { ...estimated, stages }, figures: measuring.figures, encoderAtEdge };
  } finally {
    await origin.remove();
  }
}

/** The stages of one release, on their way from estimates to figures. */
class Measuring {
  readonly figures: Partial<Record<StageName, Figure>> = {};
  readonly stages: Partial<Record<StageName, Stage>>;
  readonly #planned: PlannedRelease;
  readonly #options: MeasureOptions;

  constructor(planned: PlannedRelease, options: MeasureOptions) {
    this.#planned = planned;
    this.#options = options;
    this.stages = { ...planned.stages };
  }

  has(name: StageName): boolean {
    return this.figures[name] !== undefined;
  }

  /**
   * Tries the encoder in the isolate, and settles it there when it fits or must be there. One that could never fit is not
   * loaded; one that fails may still run at the origin. Gives what was found.
   */
  async encoderAtEdge(encoder: Stage, worst: WorstPicture): Promise<string> {
    const { place, budgetBytes = ENCODER_RELEASE_BUDGET_BYTES } = this.#options;
    const { movable, dtype, inputs } = encoder;
    const { pixels, shape } = worst.source;
    const floor = encoderFloorBytes(this.#bytesOf(encoder), dtype, pixels.byteLength, runsOf(inputs, shape));
    if (movable && floor > budgetBytes) {
      return `weights and the largest picture alone take ${mib(floor)} of ${mib(budgetBytes)}, so it was not tried`;
    }
    this.#say("the encoder at the edge");
    try {
      const figure = await this.#figure("vision_encoder", "edge", pixels.byteLength, () =>
        measureAtEdge(this.#planned, worst),
      );
      if (figure.memoryBytes <= budgetBytes || place === "edge") this.#settle("vision_encoder", "edge", figure);
      return `it takes ${mib(figure.memoryBytes)} of ${mib(budgetBytes)} in the isolate on the largest picture`;
    } catch (error) {
      if (!movable) throw error;
      const why = error instanceof Error ? (error.message.split("\n")[0] ?? "").slice(0, 200) : "";
      return `it does not run in the isolate on the largest picture: ${why}`;
    }
  }

  async encoderAtOrigin({ source }: WorstPicture, origin: OriginStages): Promise<void> {
    this.#say("the encoder at the origin");
    const figure = await this.#figure("vision_encoder", "origin", source.pixels.byteLength, () =>
      origin.encoder(source),
    );
    this.#settle("vision_encoder", "origin", figure);
  }

  /** Embeddings and backbone, on one prompt of so many tokens. */
  async languageModel(tokens: number, origin: OriginStages): Promise<void> {
    if (this.stages.embed_tokens === undefined || this.stages.backbone === undefined) return;
    this.#say("the language model");
    const embed = await this.#figure("embed_tokens", "origin", tokens, () => origin.embedTokens(tokens));
    this.#settle("embed_tokens", "origin", embed);
    const both = await this.#figure("backbone", "origin", tokens, () => origin.backbone(tokens));
    // The process holds the embeddings beside it, which have a figure of their own.
    this.#settle("backbone", "origin", { ...both, memoryBytes: Math.max(0, both.memoryBytes - embed.memoryBytes) });
  }

  #figure(name: StageName, where: string, size: number, measure: () => Promise<Figure>): Promise<Figure> {
    const { files, cacheDir } = this.#options;
    const stage = this.stages[name];
    const hashes = stage?.files.map((file) => files[file]?.sha256);
    return keptFigure([name, stage?.runtime, where, size, hashes], measure, cacheDir);
  }

  #settle(name: StageName, placement: Stage["placement"], figure: Figure): void {
    const stage = this.stages[name];
    if (stage === undefined) return;
    const memoryBytes = Math.ceil(figure.memoryBytes / STEP_BYTES) * STEP_BYTES;
    this.figures[name] = figure;
    this.stages[name] = { ...stage, placement, memoryBytes };
  }

  #bytesOf({ files }: Stage): number {
    return this.#planned.files.filter(({ name }) => files.includes(name)).reduce((sum, { size }) => sum + size, 0);
  }

  #say(what: string): void {
    this.#options.onStage?.(what);
  }
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576)} MiB`;
}
