import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { freePort } from "../../infra/local/ports.ts";
import { IsolateProbe } from "../../infra/local/isolate-probe.ts";
import { type Figures, measure } from "./measure.ts";

/** The compiled tokenizer inside workerd, timed from outside: a request that does nothing is taken off. */
export async function measureInWorkerd(compiled: string): Promise<Figures> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "worker.ts")],
    bundle: true,
    format: "esm",
    write: false,
    minify: true,
  });
  const inspectorPort = await freePort(0, "--inspector-port");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: "tokenizer",
          modules: [{ type: "ESModule", path: "worker.js", contents: outputFiles[0]?.text ?? "" }],
          compatibilityDate: "2026-10-01",
        },
      ],
      inspectorPort,
    }),
  );
  try {
    const call = async (path: string, body?: Uint8Array | string): Promise<string> => {
      const init = body === undefined ? {} : { method: "POST", body };
      return (await miniflare.dispatchFetch(`http://worker${path}`, init)).text();
    };
    const timed = async (path: string): Promise<number> => {
      const start = performance.now();
      await call(path);
      return performance.now() - start;
    };
    const idle = async (): Promise<number> => Math.min(await timed("/"), await timed("/"), await timed("/"));
    await call("/");
    const idleHeap = await heapBytes(inspectorPort);
    await call("/file", new Uint8Array(readFileSync(compiled)));
    const nothing = await idle();
    const first = (await timed("/load")) - nothing;
    await call("/texts", JSON.stringify(["warm"]));
    await call("/encode");
    const heap = ((await heapBytes(inspectorPort)) - idleHeap) / 1e6;
    let sent: readonly string[] = [];
    return await measure({
      load: first,
      heap,
      time: async (texts) => {
        if (sent !== texts && JSON.stringify(sent) !== JSON.stringify(texts))
          await call("/texts", JSON.stringify(texts));
        sent = texts;
        const nothing = await idle();
        return Math.max(0.001, (await timed("/encode?times=3")) - nothing) / 3;
      },
      tokens: async (text) => {
        await call("/texts", JSON.stringify([text]));
        return Number(await call("/encode"));
      },
    });
  } finally {
    await miniflare.dispose();
  }
}

/** Heap and buffers of the Worker after a collection; NaN when its inspector does not answer. */
async function heapBytes(inspectorPort: number): Promise<number> {
  const ask = async (): Promise<number> => {
    const probe = await IsolateProbe.open(inspectorPort, "tokenizer");
    const bytes = await probe.heapBytes();
    probe.close();
    return bytes;
  };
  return Promise.race([ask(), setTimeout(5000, Number.NaN)]);
}
