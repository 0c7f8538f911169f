import { readFile } from "node:fs/promises";
import path from "node:path";
import { buildPlayground } from "../infra/build/playground.ts";
import { countWasm } from "../infra/local/count-wasm.ts";
import { IsolateProbe } from "../infra/local/isolate-probe.ts";
import { freePort } from "../infra/local/ports.ts";
import { EDGE_BUDGET_BYTES, ENCODER_BUDGET_BYTES, ISOLATE_BYTES } from "../shared/limits/isolate.ts";
import { MAX_IMAGE_FILE_BYTES } from "../shared/limits/image.ts";
import { MAX_REQUEST_BODY_BYTES } from "../shared/limits/limits.ts";
import { startOwnStack, type TestStack } from "../test/stack.ts";
import type { Bench } from "./bench.ts";
import { worstJpeg, worstPng } from "./memory/pictures.ts";

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
      const sent = await sendWorst(stack);
      const wasm = await wasmMemories(stack);
      for (const probe of [edge, encoder]) probe.close();
      return {
        columns: ["Worker", "JS idle", "JS peak", "wasm", "JS peak + wasm", "budget", "within", "of 128 MB"],
        rows: [
          row("edge", edgeIdle, edge.peakBytes, wasm.edge, EDGE_BUDGET_BYTES),
          row("encoder", encoderIdle, encoder.peakBytes, wasm.encoder, ENCODER_BUDGET_BYTES),
        ],
        notes: [
          ...sent,
          "MiB. JS: objects, array buffers and strings, sampled every 5 ms between turns of the event loop; wasm: all live",
          "memories of the isolate, which never shrink but are collected when their codec is let go. The sum is pessimistic:",
          "peaks need not meet, and it holds what the collector has not yet taken.",
        ],
      };
    } finally {
      await stack.stop();
    }
  },
};

/** The largest bodies: one file at its limit beside smaller ones, and pictures at the limit of pixels, format by format. */
async function sendWorst(stack: TestStack): Promise<string[]> {
  const jpeg = await worstJpeg(false);
  const progressive = await worstJpeg(true);
  const png = worstPng();
  const small = await readFile(path.join(import.meta.dirname, "../model-artifacts/moji-vlm-9m/examples/02_what.jpg"));
  const notes: string[] = [];
  for (const [name, files] of [
    ["one PNG", [png]],
    ["one baseline JPEG", [jpeg]],
    ["one progressive JPEG", [progressive]],
    ["PNG, progressive JPEG, six small", [png, progressive, small, small, small, small, small, small]],
  ] as const) {
    const body = bodyOf(files);
    const fits = body.length <= MAX_REQUEST_BODY_BYTES && files.every((file) => file.length <= MAX_IMAGE_FILE_BYTES);
    const response = await fetch(`${stack.edgeUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" },
      body,
    });
    await response.text();
    notes.push(
      `${name}: body ${mib(body.length)} MiB, ${fits ? "admitted" : "beyond a limit"}, answered ${response.status}`,
    );
  }
  return notes;
}

function bodyOf(files: readonly Buffer[]): string {
  const parts = files.map((file) => ({
    type: "image_url",
    image_url: { url: `data:image/png;base64,${file.toString("base64")}` },
  }));
  const content = [...parts, { type: "text", text: "What is this?" }];
  return JSON.stringify({ model: "moji-vlm-9m", messages: [{ role: "user", content }] });
}

async function wasmMemories(stack: TestStack): Promise<{ edge: number; encoder: number }> {
  return (await (await fetch(`${stack.edgeUrl}/__memory`)).json()) as { edge: number; encoder: number };
}

function row(name: string, idle: number, peak: number, wasm: number, budget: number): (string | number)[] {
  const sum = peak + wasm;
  return [
    name,
    mib(idle),
    mib(peak),
    mib(wasm),
    mib(sum),
    mib(budget),
    sum <= budget ? "yes" : "NO",
    `${Math.round((sum / ISOLATE_BYTES) * 100)} %`,
  ];
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
