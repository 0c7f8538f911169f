import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as z from "zod";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCE = join(ROOT, "functions/edge/playground");
const BUILT_IN_MODEL = "moji-vlm-9m";

/** What the page needs of the model's own files: `config.json` and `examples/examples.json`. */
const modelConfig = z.object({
  vision_config: z.object({
    image_size: z.int().positive(),
    patch_size: z.int().positive(),
    pixel_shuffle_factor: z.int().positive(),
  }),
});
const modelExamples = z.array(
  z.object({
    image: z.string().regex(/^[\w.-]+$/),
    size: z.tuple([z.int().positive(), z.int().positive()]),
    question: z.string(),
  }),
);

/**
 * Builds the playground into a folder that the edge Worker serves as static assets: one script, one style sheet, the
 * static files (`_headers` among them) and the built-in model's example pictures. An earlier build there is replaced.
 * @returns the folder
 */
export async function buildPlayground(outDir: string = join(SOURCE, "dist")): Promise<string> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  await Promise.all([
    cp(join(SOURCE, "static"), outDir, { recursive: true }),
    build({
      entryPoints: [
        { in: join(SOURCE, "src/main.ts"), out: "app" },
        { in: join(SOURCE, "styles/index.css"), out: "app" },
      ],
      outdir: outDir,
      bundle: true,
      format: "esm",
      minify: true,
      target: ["chrome120", "firefox121", "safari17.4"],
      logLevel: "warning",
    }),
    copyExamples(outDir),
  ]);
  return outDir;
}

/** The recorded answers stay behind: the page shows what the model says now. */
async function copyExamples(outDir: string): Promise<void> {
  const model = join(ROOT, "model-artifacts", BUILT_IN_MODEL);
  const { vision_config } = modelConfig.parse(await readJson(join(model, "config.json")));
  const examples = modelExamples.parse(await readJson(join(model, "examples/examples.json")));
  await mkdir(join(outDir, "examples"), { recursive: true });
  await Promise.all(examples.map(({ image }) => cp(join(model, "examples", image), join(outDir, "examples", image))));
  const page = {
    model: BUILT_IN_MODEL,
    grid: {
      image_size: vision_config.image_size,
      patch_size: vision_config.patch_size,
      shuffle: vision_config.pixel_shuffle_factor,
    },
    examples: examples.map(({ image, size: [width, height], question }) => ({ image, width, height, question })),
  };
  await writeFile(join(outDir, "examples.json"), JSON.stringify(page));
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}
