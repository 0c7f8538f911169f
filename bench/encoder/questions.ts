import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { parseProgram } from "../../shared/encoder/program/program.ts";
import { Machine } from "../../shared/encoder/program/run.ts";
import { compileEncoder, encoderModule } from "../../infra/encoder/compile-encoder.ts";
import { ReferenceDecoder } from "../../infra/encoder/decoder.ts";
import { Reference } from "../../infra/encoder/reference.ts";

/**
 * The recipe's seeded questions of the built-in model on two encoders: the float32 graph, and ours. Decoder in float32 both
 * times. usage: node bench/encoder/questions.ts MODEL_DIR DATA_DIR, where DATA_DIR holds SPLIT.rgb (u8 [n, 224, 224, 3]) and
 * SPLIT.json, which `build` of the recipe's evaluate.py makes. Takes minutes, so it is no part of `npm run bench`.
 */
const itemsSchema = z.array(z.object({ task: z.string(), q: z.string(), gold: z.string() }));
type Item = z.infer<typeof itemsSchema>[number];

/** Weights stored in half precision, computed in float32, as the repository holds them. */
const GRAPH = "onnx/vision_encoder_fp16.onnx";
const SIDE = 224;
const BOX = /^\[(\d+), (\d+), (\d+), (\d+)\]$/;

function box(text: string): number[] | null {
  return BOX.exec(text.trim())?.slice(1).map(Number) ?? null;
}

function overlap(a: readonly number[], b: readonly number[]): number {
  const [ax0 = 0, ay0 = 0, ax1 = 0, ay1 = 0] = a;
  const [bx0 = 0, by0 = 0, bx1 = 0, by1 = 0] = b;
  const inner =
    Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0)) * Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0));
  const area = (x0: number, y0: number, x1: number, y1: number): number => Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
  return inner / Math.max(1e-6, area(ax0, ay0, ax1, ay1) + area(bx0, by0, bx1, by1) - inner);
}

/** Exact match; boxes by an overlap of at least one half, as the recipe's evaluate.py. */
function right({ task, gold }: Item, answer: string): boolean {
  const wanted = task === "box" ? box(gold) : null;
  if (wanted === null) return answer === gold;
  const found = box(answer);
  return found !== null && overlap(wanted, found) >= 0.5;
}

async function run(dir: string, data: string, split: string): Promise<void> {
  const items = itemsSchema.parse(JSON.parse(await readFile(path.join(data, `${split}.json`), "utf8")));
  const rgb = await readFile(path.join(data, `${split}.rgb`));
  const { calibration } = await compileEncoder(dir, { graph: GRAPH });
  if (calibration === null) throw new Error("The encoder did not compile.");
  const machine = new Machine(parseProgram(calibration.program), await encoderModule());
  machine.weights().set(calibration.weights);
  const reference = await Reference.open(path.join(dir, GRAPH));
  const decoder = await ReferenceDecoder.open(dir);
  if (decoder === null) throw new Error("The folder has no decoder.");
  const { rows } = machine.program.output;
  let [float, ours, same] = [0, 0, 0];
  const pixels = SIDE * SIDE;
  const picture = new Float32Array(3 * pixels);
  for (const [i, item] of items.entries()) {
    for (let at = 0; at < 3 * pixels; at++) {
      const value = rgb[i * 3 * pixels + (at % pixels) * 3 + Math.floor(at / pixels)] ?? 0;
      picture[at] = (value / 255 - 0.5) / 0.5;
    }
    const exact = await decoder.answer(await reference.encode(picture, [1, 3, SIDE, SIDE]), rows, item.q);
    const quantised = await decoder.answer(await machine.run((input) => input.set(picture)), rows, item.q);
    float += Number(right(item, exact));
    ours += Number(right(item, quantised));
    same += Number(exact === quantised);
  }
  const percent = (count: number): string => `${((100 * count) / items.length).toFixed(1)} %`;
  console.log(
    `${split}: ${items.length} questions, float32 ${percent(float)}, ours ${percent(ours)}, same answer ${percent(same)}`,
  );
}

const [dir, data] = process.argv.slice(2);
if (dir === undefined || data === undefined) throw new Error("usage: questions.ts MODEL_DIR DATA_DIR");
for (const split of ["train", "held"]) await run(dir, data, split);
