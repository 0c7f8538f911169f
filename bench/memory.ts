import { worstPictures, type WorstPicture } from "../functions/edge/media/worst-pictures.fixture.ts";
import { buildPlayground } from "../infra/build/playground.ts";
import { countWasm } from "../infra/local/count-wasm.ts";
import { IsolateProbe } from "../infra/local/isolate-probe.ts";
import { freePort } from "../infra/local/ports.ts";
import { EDGE_BUDGET_BYTES, ENCODER_BUDGET_BYTES, ISOLATE_BYTES } from "../shared/limits/isolate.ts";
import { MAX_IMAGE_FILE_BYTES } from "../shared/limits/image.ts";
import { MAX_REQUEST_BODY_BYTES } from "../shared/limits/limits.ts";
import { startOwnStack, type TestStack } from "../test/stack.ts";
import type { Bench } from "./bench.ts";

/** Two files fill a body to its limit: the largest one, and one that fits beside it. */
const SECOND_FILE_BYTES = Math.floor((MAX_REQUEST_BODY_BYTES / 4) * 3 - MAX_IMAGE_FILE_BYTES - 1024);

/** Sums wasm memories and JavaScript heap per Worker, at the largest request that is admitted, in real workerd. */
export const bench: Bench = {
  name: "memory",
  title: "Memory of each Worker at the worst admitted request",
  async run() {
    await buildPlayground();
    const inspectorPort = await freePort(0, "--inspector-port");
    const stack = await startOwnStack({ inspectorPort, transform: countWasm });
    try {
      const edge = await IsolateProbe.open(inspectorPort, "fovea-edge-local");
      const encoder = await IsolateProbe.open(inspectorPort, "fovea-encoder-local");
      const [edgeIdle, encoderIdle] = [await edge.heapBytes(), await encoder.heapBytes()];
      for (const probe of [edge, encoder]) probe.watch(5);
      const notes = await sendWorst(stack);
      const wasm = await wasmMemories(stack);
      for (const probe of [edge, encoder]) probe.close();
      const workers = [
        { name: "edge", idle: edgeIdle, peak: edge.peakBytes, wasm: wasm.edge, budget: EDGE_BUDGET_BYTES },
        {
          name: "encoder",
          idle: encoderIdle,
          peak: encoder.peakBytes,
          wasm: wasm.encoder,
          budget: ENCODER_BUDGET_BYTES,
        },
      ];
      return {
        columns: ["Worker", "JS idle", "JS peak", "wasm", "JS peak + wasm", "budget", "within", "of 128 MB"],
        rows: workers.map(row),
        over: workers.filter((worker) => !fits(worker)).map(({ name }) => `${name}: more memory than its budget`),
        notes: [
          ...notes,
          "MiB. JS: objects, array buffers and strings, sampled every 5 ms between turns of the event loop; wasm: all live",
          "memories of the isolate, which never shrink. The sum is pessimistic: peaks need not meet, and the JS heap holds",
          "what the collector has not yet taken.",
        ],
      };
    } finally {
      await stack.stop();
    }
  },
};

/**
 * The largest bodies, each of two pictures that take a decoder most: all one after another, so that every format follows
 * every other, and then all at once.
 */
async function sendWorst(stack: TestStack): Promise<string[]> {
  const [large, small] = [await worstPictures(), await worstPictures(SECOND_FILE_BYTES)];
  const notes: string[] = [];
  const atOnce: string[] = [];
  for (const picture of large) {
    for (const second of small.slice(0, 3)) {
      const body = bodyOf([picture, second]);
      if (second === small[0]) atOnce.push(body);
      const status = await send(stack, body);
      notes.push(`${picture.name}; ${second.name}: body ${mib(body.length)} MiB, answered ${status}`);
    }
  }
  const statuses = await Promise.all(atOnce.map((body) => send(stack, body)));
  notes.push(`${atOnce.length} of these at once: answered ${statuses.join(", ")}`);
  return notes;
}

async function send(stack: TestStack, body: string): Promise<number> {
  const response = await fetch(`${stack.edgeUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" },
    body,
  });
  await response.text();
  return response.status;
}

function bodyOf(pictures: readonly WorstPicture[]): string {
  const parts = pictures.map(({ bytes }) => ({
    type: "image_url",
    image_url: { url: `data:image/png;base64,${Buffer.from(bytes).toString("base64")}` },
  }));
  const content = [...parts, { type: "text", text: "What is this?" }];
  return JSON.stringify({ model: "moji-vlm-9m", messages: [{ role: "user", content }] });
}

async function wasmMemories(stack: TestStack): Promise<{ edge: number; encoder: number }> {
  return (await (await fetch(`${stack.edgeUrl}/__memory`)).json()) as { edge: number; encoder: number };
}

interface Measured {
  readonly name: string;
  readonly idle: number;
  readonly peak: number;
  readonly wasm: number;
  readonly budget: number;
}

function fits({ peak, wasm, budget }: Measured): boolean {
  return peak + wasm <= budget;
}

function row(worker: Measured): (string | number)[] {
  const { name, idle, peak, wasm, budget } = worker;
  const share = `${Math.round(((peak + wasm) / ISOLATE_BYTES) * 100)} %`;
  return [name, ...[idle, peak, wasm, peak + wasm, budget].map(mib), fits(worker) ? "yes" : "OVER", share];
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
