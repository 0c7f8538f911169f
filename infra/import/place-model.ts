import path from "node:path";
import type { Release, StageName } from "../../shared/releases/release.ts";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { BUILTIN_EXAMPLES } from "../local/builtin.ts";
import type { Figure } from "../measure/kept-figure.ts";
import { measureRelease } from "../measure/measure-release.ts";
import { hashRelease } from "../releases/hash-release.ts";
import { readHubFolder, type HubFolder } from "../releases/hub-folder.ts";
import { planRelease, type PlannedRelease } from "../releases/plan-release.ts";
import { checkFiles, checkGraphs, ImportError } from "./check-model.ts";
import type { ModelSource } from "./model-source.ts";
import { planPicture, type PicturePlan } from "./plan-picture.ts";

export interface PlaceOptions {
  readonly dtype?: string | undefined;
  /** Where pictures are encoded; auto: at the edge when the encoder fits its isolate. */
  readonly place: "auto" | "edge" | "origin";
  /** False leaves memory at the estimates. */
  readonly measure: boolean;
  /** A picture file to reckon with; default: a JPEG of the built-in model's. */
  readonly picture?: string | undefined;
  readonly onStage?: (what: string) => void;
  readonly onHashed?: (doneBytes: number, totalBytes: number) => void;
  /** Where figures of earlier runs are kept (default: `.fovea/measured`). */
  readonly cacheDir?: string;
}

/** A model that can be served. Placement and memory are estimates as yet. */
export interface CheckedModel {
  readonly folder: HubFolder;
  readonly estimated: PlannedRelease;
  /** Its release under a name that says nothing: what it is called by its content. */
  readonly unnamed: Release;
}

/** Where each stage of a model runs, what it takes, and the way of a picture. */
export interface PlacedModel {
  readonly planned: PlannedRelease;
  /** What was measured now. */
  readonly figures: Readonly<Partial<Record<StageName, Figure>>>;
  /** Whether the stages are those of a published release, with its figures. */
  readonly published: boolean;
  /** What was found of the encoder at the edge; null when it was not tried. */
  readonly encoderAtEdge: string | null;
  /** Null for a model without eyes. */
  readonly picture: PicturePlan | null;
}

const PICTURE = path.join(BUILTIN_EXAMPLES, "02_what.jpg");

/**
 * Brings a model and checks it, settings before weights.
 * @throws ImportError with every stage, file or key that stands in the way; HubError, HubFolderError, ReleaseError
 */
export async function checkModel(
  source: ModelSource,
  { dtype, place, measure, onHashed }: PlaceOptions,
  model = source.name,
): Promise<CheckedModel> {
  const dir = await source.configuration();
  const wrong = await checkFiles(await readHubFolder(dir));
  if (wrong.length > 0) throw new ImportError(wrong);
  await source.weights(dtype);
  const found = await planRelease(dir, {
    ...(dtype === undefined ? {} : { dtype }),
    // An estimate decides only where nothing is measured.
    encoder: place === "edge" && !measure ? "edge" : "auto",
    // The origin runs graphs, not what is compiled for the isolate.
    ...(place === "origin" && { compilers: { tokenizer: compileTokenizer } }),
  });
  const obstacles = checkGraphs(found);
  if (obstacles.length > 0) throw new ImportError(obstacles);
  const estimated = place === "origin" ? atOrigin(found) : found;
  const unnamed = await hashRelease(estimated, { model, version: "import", onHashed });
  return { folder: await readHubFolder(dir), estimated, unnamed };
}

/**
 * Measures and places the stages.
 * @param published the stages of a published release of the same files: their figures stand, so that it keeps its digest
 */
export async function placeModel(
  { folder, estimated, unnamed }: CheckedModel,
  { measure, picture = PICTURE, ...options }: PlaceOptions,
  published: Release["stages"] | null = null,
): Promise<PlacedModel> {
  const stages = published ?? estimated.stages;
  const placed =
    published !== null || !measure
      ? { planned: { ...estimated, stages }, figures: {}, encoderAtEdge: null }
      : await measureRelease(estimated, folder, { ...options, files: unnamed.files });
  return { ...placed, published: published !== null, picture: await planPicture(folder, placed.planned, picture) };
}

function atOrigin(planned: PlannedRelease): PlannedRelease {
  const { vision_encoder, ...rest } = planned.stages;
  if (vision_encoder === undefined) return planned;
  return { ...planned, stages: { ...rest, vision_encoder: { ...vision_encoder, placement: "origin" } } };
}
