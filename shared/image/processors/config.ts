import * as z from "zod";
import { FoveaError } from "../../errors/error.ts";
import { Resampling } from "../resample/filters.ts";

/** `size`, `crop_size`, `max_image_size`: a number in old files, else named edges. */
export interface SizeDict {
  readonly height?: number | undefined;
  readonly width?: number | undefined;
  readonly shortest_edge?: number | undefined;
  readonly longest_edge?: number | undefined;
  readonly max_height?: number | undefined;
  readonly max_width?: number | undefined;
}

/** A `preprocessor_config.json` with upstream's class defaults filled in. */
export interface PreprocessorConfig {
  readonly type: string;
  readonly do_resize: boolean;
  readonly size: SizeDict;
  readonly resample: Resampling;
  readonly do_center_crop: boolean;
  readonly crop_size: SizeDict | undefined;
  readonly do_rescale: boolean;
  readonly rescale_factor: number;
  readonly do_normalize: boolean;
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
  readonly do_pad: boolean;
  readonly do_image_splitting: boolean;
  readonly max_image_size: SizeDict;
  readonly image_grid_pinpoints: readonly (readonly [height: number, width: number])[];
  readonly patch_size: number;
  readonly temporal_patch_size: number;
  readonly merge_size: number;
  /** GOT-OCR2's processor: whether to cut a picture into tiles, and into how many. */
  readonly crop_to_patches: boolean;
  readonly min_patches: number;
  readonly max_patches: number;
}

/** Upstream writes null for what is not set. */
function optional<T extends z.ZodType>(type: T) {
  return type.nullish().transform((value) => value ?? undefined);
}

/** Sides and counts of a config: bounded, since a release file is data too. */
const side = z.number().int().min(1).max(16_384);
const pixels = z.number().int().min(1).max(1_000_000_000);
const sizeDict = z.object({
  height: optional(side),
  width: optional(side),
  shortest_edge: optional(pixels),
  longest_edge: optional(pixels),
  max_height: optional(side),
  max_width: optional(side),
});
const size = z.union([side, sizeDict]);
const patches = z.number().int().min(1).max(256);
const channels = z.union([z.number(), z.array(z.number()).length(3)]);

const schema = z.object({
  image_processor_type: optional(z.string()),
  feature_extractor_type: optional(z.string()),
  processor_class: optional(z.string()),
  do_resize: optional(z.boolean()),
  size: optional(size),
  resample: optional(z.number().int().min(0).max(5)),
  do_center_crop: optional(z.boolean()),
  crop_size: optional(size),
  do_rescale: optional(z.boolean()),
  rescale_factor: optional(z.number()),
  do_normalize: optional(z.boolean()),
  image_mean: optional(channels),
  image_std: optional(channels),
  do_pad: optional(z.boolean()),
  do_image_splitting: optional(z.boolean()),
  max_image_size: optional(sizeDict),
  image_grid_pinpoints: optional(
    z
      .array(z.tuple([side, side]))
      .min(1)
      .max(256),
  ),
  patch_size: optional(z.number().int().min(1).max(256)),
  temporal_patch_size: optional(z.number().int().min(1).max(8)),
  merge_size: optional(z.number().int().min(1).max(16)),
  crop_to_patches: optional(z.boolean()),
  min_patches: optional(patches),
  max_patches: optional(patches),
  min_pixels: optional(pixels),
  max_pixels: optional(pixels),
});

const OPENAI_CLIP = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const IMAGENET_STANDARD = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

type Defaults = Partial<PreprocessorConfig> & { readonly size: SizeDict; readonly default_to_square?: boolean };

function grid(step: number, most: number): [number, number][] {
  const sides = Array.from({ length: most }, (_, i) => (i + 1) * step);
  return sides.flatMap((height) => sides.map((width): [number, number] => [height, width]));
}

const { BILINEAR, BICUBIC, LANCZOS } = Resampling;
const square = (edge: number): SizeDict => ({ height: edge, width: edge });
const CLIP: Defaults = {
  ...OPENAI_CLIP,
  resample: BICUBIC,
  size: { shortest_edge: 224 },
  default_to_square: false,
  do_center_crop: true,
  crop_size: square(224),
};
const IDEFICS3: Defaults = {
  ...IMAGENET_STANDARD,
  resample: LANCZOS,
  size: { longest_edge: 4 * 364 },
  max_image_size: { longest_edge: 364 },
  do_image_splitting: true,
  do_pad: true,
};
const QWEN2_VL: Defaults = {
  ...OPENAI_CLIP,
  resample: BICUBIC,
  size: { shortest_edge: 56 * 56, longest_edge: 28 * 28 * 1280 },
  default_to_square: false,
};

/** Class attributes of the `*Pil` classes of transformers, by class name. */
const CLASSES: Readonly<Record<string, Defaults>> = {
  CLIPImageProcessor: CLIP,
  SiglipImageProcessor: { ...IMAGENET_STANDARD, resample: BICUBIC, size: square(224), default_to_square: false },
  ViTImageProcessor: { ...IMAGENET_STANDARD, resample: BILINEAR, size: square(224) },
  BlipImageProcessor: { ...OPENAI_CLIP, resample: BICUBIC, size: square(384) },
  GotOcr2ImageProcessor: { ...OPENAI_CLIP, resample: BICUBIC, size: square(384) },
  LlavaImageProcessor: CLIP,
  LlavaNextImageProcessor: {
    ...CLIP,
    do_pad: true,
    image_grid_pinpoints: [
      [336, 672],
      [672, 336],
      [672, 672],
      [1008, 336],
      [336, 1008],
    ],
  },
  LlavaOnevisionImageProcessor: {
    ...OPENAI_CLIP,
    resample: BICUBIC,
    size: square(384),
    default_to_square: false,
    do_pad: true,
    image_grid_pinpoints: grid(384, 6),
  },
  Idefics2ImageProcessor: {
    ...IMAGENET_STANDARD,
    resample: BILINEAR,
    size: { shortest_edge: 378, longest_edge: 980 },
    default_to_square: false,
    do_pad: true,
  },
  Idefics3ImageProcessor: IDEFICS3,
  SmolVLMImageProcessor: IDEFICS3,
  Qwen2VLImageProcessor: QWEN2_VL,
  Qwen2_5_VLImageProcessor: QWEN2_VL,
  Glm4vImageProcessor: { ...QWEN2_VL, size: { shortest_edge: 112 * 112, longest_edge: 28 * 28 * 15_000 } },
};

/**
 * Reads a `preprocessor_config.json`. The class may be named with or without `Fast` or `Pil`: all mean the same rules.
 *
 * @throws FoveaError `not_configured` when the file is damaged or names a class that is not known
 */
export function parsePreprocessorConfig(json: unknown): PreprocessorConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new FoveaError(
      "not_configured",
      `The release's preprocessor_config.json is not valid: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
    );
  }
  const config = parsed.data;
  const named = config.image_processor_type ?? config.feature_extractor_type ?? "";
  const type = named.replace(/FeatureExtractor$/, "ImageProcessor").replace(/(Fast|Pil)$/, "");
  const defaults = Object.hasOwn(CLASSES, type) ? CLASSES[type] : undefined;
  if (defaults === undefined) {
    throw new FoveaError("not_configured", `The release's image processor "${named}" is not supported.`);
  }
  const toSize = (value: z.infer<typeof size>, squared: boolean): SizeDict => {
    if (typeof value === "number") return squared ? square(value) : { shortest_edge: value };
    return value;
  };
  const threefold = (value: number | readonly number[]): readonly number[] =>
    typeof value === "number" ? [value, value, value] : value;
  const resize = config.size === undefined ? defaults.size : toSize(config.size, defaults.default_to_square ?? true);
  return {
    type,
    do_resize: config.do_resize ?? true,
    size: {
      ...resize,
      // Qwen2-VL's old names of the pixel budget
      ...(config.min_pixels === undefined ? {} : { shortest_edge: config.min_pixels }),
      ...(config.max_pixels === undefined ? {} : { longest_edge: config.max_pixels }),
    },
    resample: (config.resample ?? defaults.resample ?? BILINEAR) as Resampling,
    do_center_crop: config.do_center_crop ?? defaults.do_center_crop ?? false,
    crop_size: config.crop_size === undefined ? defaults.crop_size : toSize(config.crop_size, true),
    do_rescale: config.do_rescale ?? true,
    rescale_factor: config.rescale_factor ?? 1 / 255,
    do_normalize: config.do_normalize ?? true,
    image_mean: threefold(config.image_mean ?? defaults.image_mean ?? IMAGENET_STANDARD.image_mean),
    image_std: threefold(config.image_std ?? defaults.image_std ?? IMAGENET_STANDARD.image_std),
    do_pad: config.do_pad ?? defaults.do_pad ?? false,
    do_image_splitting: config.do_image_splitting ?? defaults.do_image_splitting ?? false,
    max_image_size:
      config.max_image_size === undefined ? (defaults.max_image_size ?? {}) : toSize(config.max_image_size, true),
    image_grid_pinpoints: config.image_grid_pinpoints ?? defaults.image_grid_pinpoints ?? [],
    patch_size: config.patch_size ?? 14,
    temporal_patch_size: config.temporal_patch_size ?? 2,
    merge_size: config.merge_size ?? 2,
    // InternVL's processor asks for tiles, whatever the file says
    crop_to_patches: config.processor_class === "InternVLProcessor" || (config.crop_to_patches ?? false),
    min_patches: config.min_patches ?? 1,
    max_patches: config.max_patches ?? 12,
  };
}
