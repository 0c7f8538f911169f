import { buildPlayground } from "../infra/build/playground.ts";
import { freePort } from "../infra/local/ports.ts";
import { publishBuiltin } from "../infra/local/publish-builtin.ts";
import { localSecrets } from "../infra/local/secrets.ts";
import { BUCKET, s3Endpoint, startWorkers } from "../infra/local/workers.ts";
import { openStore } from "../infra/store/open-store.ts";
import { ask } from "../test/conformance/client.ts";
import type { FoveaExtension } from "../shared/openai/completion.ts";
import type { Bench } from "./bench.ts";
import { temporaryFolder } from "./files/temporary-folder.ts";
import { emptyWorker, stubEncoder, stubOrigin } from "./edge/stubs.ts";
import { median, quantile } from "./numbers/statistics.ts";

const ROUNDS = 300;
const WARM_UP = 50;

/** The edge's own time, with an encoder and an origin that answer at once, beside Workers that do nothing. */
export const bench: Bench = {
  name: "edge",
  title: "The edge's own time, without encoder and origin, against an empty Worker",
  async run() {
    await buildPlayground();
    const directory = await temporaryFolder("edge");
    const secrets = await localSecrets(directory);
    const origin = await stubOrigin();
    const port = await freePort(0, "--port");
    const bindings = { API_KEYS: "bench", ORIGIN_KEYS: secrets.originKeys };
    const workers = await startWorkers({
      port,
      originUrl: origin.url,
      persist: directory,
      secrets,
      bindings,
      assets: false,
      transform: stubEncoder,
    });
    const [empty, relay] = [emptyWorker(origin.url, false), emptyWorker(origin.url, true)];
    try {
      const edge = `http://127.0.0.1:${port}`;
      const store = await openStore(`s3://${BUCKET}`, { ...secrets, endpoint: s3Endpoint(edge) });
      await publishBuiltin(store);
      store.close();
      const text = JSON.stringify({ model: "moji-vlm-9m", messages: await ask("What is this?") });
      const picture = JSON.stringify({ model: "moji-vlm-9m", messages: await ask("What is this?", "02_what.jpg") });
      const times = await interleave([
        ["empty Worker", (await empty.ready).href, picture],
        ["empty Worker that relays to the origin", (await relay.ready).href, picture],
        ["edge, text", `${edge}/v1/chat/completions`, text],
        ["edge, JPEG of 336 x 396", `${edge}/v1/chat/completions`, picture],
      ]);
      const base = median(times.get("empty Worker") ?? []);
      const relayed = median(times.get("empty Worker that relays to the origin") ?? []);
      return {
        columns: ["Worker", "p50 ms", "p95 ms", "over empty", "over relay"],
        rows: [...times].map(([name, list]) => [
          name,
          median(list).toFixed(2),
          quantile(list, 0.95).toFixed(2),
          (median(list) - base).toFixed(2),
          (median(list) - relayed).toFixed(2),
        ]),
        notes: [
          `${ROUNDS} requests of each in turn, one at a time, after ${WARM_UP} of each. The edge checks the key, parses, decodes and`,
          "resizes the picture, renders, tokenizes, signs the frame and detokenizes. The relay has the same hop to the origin.",
          `The edge's own spans for the picture, mean ms: ${await spans(`${edge}/v1/chat/completions`, picture)}`,
        ],
      };
    } finally {
      await Promise.all([workers.dispose(), empty.dispose(), relay.dispose()]);
      origin.server.close();
    }
  },
};

/** Where the edge says that its time went, over some requests; `encode` is the call to the stub, pixels handed over. */
async function spans(url: string, body: string): Promise<string> {
  const totals = new Map<string, number>();
  for (let i = 0; i < WARM_UP; i++) {
    const response = await fetch(url, { method: "POST", headers: { authorization: "Bearer bench" }, body });
    const { fovea } = (await response.json()) as { fovea: FoveaExtension };
    for (const { name, duration_ms } of fovea.timing.spans) totals.set(name, (totals.get(name) ?? 0) + duration_ms);
    totals.set("total", (totals.get("total") ?? 0) + fovea.timing.total_ms);
  }
  return [...totals].map(([name, ms]) => `${name} ${(ms / WARM_UP).toFixed(1)}`).join(", ");
}

async function interleave(targets: readonly (readonly [string, string, string])[]): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(targets.map(([name]) => [name, []]));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [name, url, body] of targets) {
      const started = performance.now();
      const response = await fetch(url, { method: "POST", headers: { authorization: "Bearer bench" }, body });
      const answer = await response.text();
      if (response.status !== 200) throw new Error(`${name} answered ${response.status}: ${answer}`);
      if (round >= 0) times.get(name)?.push(performance.now() - started);
    }
  }
  return times;
}
