import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { FoveaError } from "../shared/errors/error.ts";
import { decodeImage } from "../shared/image/decode-image.ts";
import { bombs } from "../shared/image/header/bombs.fixture.ts";
import type { Bench, Table } from "./bench.ts";
import { temporaryFolder } from "./files/temporary-folder.ts";
import { CONTENDERS } from "./image/contenders.ts";

const run = promisify(execFile);
const STEPS = ["decode", "resize", "whole"] as const;
/** Every measurement is taken in that many rounds, in turn with the others, and the fastest counts. */
const ROUNDS = 2;

interface Measured {
  readonly name: string;
  readonly ms: number;
  readonly peakKiB: number;
  /** Whole way to decode, measured in turn. */
  readonly ratio?: number;
}

/** From picture file to the model's patches, beside the libraries that Workers and Node servers use. */
export const bench: Bench = {
  name: "image",
  title: "Pictures to model input: a 2725 x 2225 JPEG and a 512 x 512 PNG to 224 x 224",
  async run() {
    const folder = await temporaryFolder("image");
    const files = { JPEG: path.join(folder, "large.jpg"), PNG: path.join(folder, "small.png") };
    await writeFile(
      files.JPEG,
      await sharp(...drawing(2725, 2225))
        .jpeg({ quality: 85 })
        .toBuffer(),
    );
    await writeFile(
      files.PNG,
      await sharp(...drawing(512, 512))
        .png()
        .toBuffer(),
    );
    const rows: (string | number)[][] = [];
    const notes: string[] = [];
    for (const [format, file] of Object.entries(files)) {
      const results = await measureAll(file);
      for (const [contender, steps] of results) {
        rows.push([format, contender, ...STEPS.flatMap((step) => figures(steps.get(step)))]);
      }
      notes.push(...ratios(format, results));
    }
    return {
      columns: ["file", "library", ...STEPS.flatMap((step) => [`${step} ms`, `${step} MiB`])],
      rows,
      notes: [
        ...notes,
        "ms: the fastest run. Whole way to decode: median of pairs in turn. MiB: how far the process grew beyond its start, file and library loaded; resize holds the decoded picture.",
        "whole: file to normalized f32. wasm-vips and sharp shrink while they decode, with other numbers than Pillow's.",
        ...(await refusals()),
      ],
    } satisfies Table;
  },
};

/** A smooth picture with grain, seeded: compresses as a photograph does. */
function drawing(width: number, height: number): [Buffer, Parameters<typeof sharp>[1]] {
  const data = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (let c = 0; c < 3; c += 1, i += 1) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        data[i] = 128 + 90 * Math.sin(x / (31 + c * 7)) * Math.cos(y / (47 - c * 9)) + (state >>> 28) - 8;
      }
    }
  }
  return [data, { raw: { width, height, channels: 3 } }];
}

type Results = Map<string, Map<string, Measured>>;

async function measureAll(file: string): Promise<Results> {
  const results: Results = new Map();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const step of STEPS) {
      for (const name of Object.keys(CONTENDERS)) {
        const measured = await measure(name, step, file);
        const steps = results.get(measured.name) ?? new Map<string, Measured>();
        results.set(measured.name, steps);
        const other = steps.get(step);
        if (other === undefined || measured.ms < other.ms) steps.set(step, measured);
      }
    }
  }
  return results;
}

async function measure(name: string, step: string, file: string): Promise<Measured> {
  const script = path.join(import.meta.dirname, "image/measure.ts");
  const { stdout } = await run(process.execPath, ["--no-warnings", script, name, step, file], { maxBuffer: 1 << 20 });
  return JSON.parse(stdout.slice(stdout.lastIndexOf("{"))) as Measured;
}

function figures(measured: Measured | undefined): (string | number)[] {
  return measured === undefined ? ["-", "-"] : [measured.ms.toFixed(1), (measured.peakKiB / 1024).toFixed(0)];
}

function ratios(format: string, results: Results): string[] {
  const ms = (name: string, step: string): number => results.get(name)?.get(step)?.ms ?? Number.NaN;
  const faster = ms("jSquash", "resize") / ms("fovea", "resize");
  const whole = results.get("fovea")?.get("whole")?.ratio ?? Number.NaN;
  return [
    `${format}: resize ${faster.toFixed(1)} x as fast as jSquash's; whole way ${whole.toFixed(2)} x our decode alone, ` +
      `${(ms("fovea", "whole") / ms("jSquash", "decode")).toFixed(2)} x jSquash's decode alone`,
  ];
}

/** What refusing costs: the slowest hostile file of the tests. */
async function refusals(): Promise<string[]> {
  const decoder = {
    name: "none",
    decode: () => Promise.reject(new FoveaError("internal_error", "A hostile file reached the decoder.")),
  };
  let slowest = { name: "", ms: 0 };
  const hostile = bombs().filter(({ code }) => code !== undefined);
  for (const { name, bytes } of hostile) {
    const times: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      const at = performance.now();
      await decodeImage(bytes, decoder).catch(() => undefined);
      times.push(performance.now() - at);
    }
    const ms = times.toSorted((a, b) => a - b)[4] ?? 0;
    if (ms > slowest.ms) slowest = { name, ms };
  }
  return [
    `${hostile.length} hostile files are refused before a decoder, the slowest (${slowest.name}) in ${slowest.ms.toFixed(2)} ms.`,
  ];
}
