import { IsolateProbe } from "../local/isolate-probe.ts";
import { startEncoder } from "../local/encoder-only.ts";
import { countWasm } from "../local/count-wasm.ts";
import { freePort } from "../local/ports.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";
import type { Figure } from "./kept-figure.ts";
import type { WorstPicture } from "./worst-picture.ts";

/** Milliseconds between two looks at the heap; workerd answers between turns of its event loop. */
const SAMPLE_MS = 5;

/** Loads a release's encoder into the encoder Worker in real workerd and encodes the picture twice. */
export async function measureAtEdge(planned: PlannedRelease, { source }: WorstPicture): Promise<Figure> {
  const inspectorPort = await freePort(0, "--inspector-port");
  const encoder = await startEncoder(planned, { inspectorPort, transform: countWasm });
  try {
    const probe = await IsolateProbe.open(inspectorPort, "fovea-encoder-local");
    try {
      const idle = await probe.heapBytes();
      probe.watch(SAMPLE_MS);
      const first = await encoder.encode(source);
      const second = await encoder.encode(source);
      const peak = Math.max(probe.peakBytes, await probe.heapBytes());
      const memoryBytes = peak - idle + (await encoder.wasmBytes());
      return { memoryBytes, loadMs: first.load_ms, runMs: second.encode_ms };
    } finally {
      probe.close();
    }
  } finally {
    await encoder.stop();
  }
}
