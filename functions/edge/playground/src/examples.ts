import * as z from "zod/mini";

/** `examples.json`, which the build writes from the model's own files. */
const exampleFile = z.object({
  model: z.string(),
  /** The picture as the encoder sees it: `image_size` px squared, `patch_size` px patches, joined `shuffle` x `shuffle`. */
  grid: z.object({ image_size: z.number(), patch_size: z.number(), shuffle: z.number() }),
  examples: z.array(z.object({ image: z.string(), width: z.number(), height: z.number(), question: z.string() })),
});

export type BuiltInModel = z.output<typeof exampleFile>;
export type Example = BuiltInModel["examples"][number];
export type Grid = BuiltInModel["grid"];

export async function loadBuiltInModel(): Promise<BuiltInModel> {
  const response = await fetch("/examples.json");
  if (!response.ok) throw new Error("The examples could not be loaded.");
  return exampleFile.parse(await response.json());
}

/** The example's picture as a file, as if it had been dropped. */
export async function fetchExample({ image }: Example): Promise<Blob> {
  const response = await fetch(`/examples/${image}`);
  if (!response.ok) throw new Error("The example could not be loaded.");
  return response.blob();
}
