import { readFile } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import { deserialize } from "node:v8";
import { openBackbone } from "../../functions/origin/backbones/open.ts";
import { EmbedTokens } from "../../functions/origin/backbones/embed-tokens.ts";
import { Sessions } from "../../functions/origin/backbones/sessions.ts";
import { EncoderHost } from "../../functions/origin/encoder/host.ts";
import type { Figure } from "./kept-figure.ts";
import type { OriginJob } from "./origin-stages.ts";

/**
 * `node origin-process.ts JOB`: runs one stage as the origin does, in a process of its own, and prints what it took. JOB is
 * a file of `v8.serialize`, so that making the picture does not count.
 */

/** Of the memory that was free at the start; beyond, the machine would swap and the figure say nothing. */
const MEMORY_SHARE = 0.8;
const ANSWER_TOKENS = 8;

const job = deserialize(await readFile(process.argv[2] ?? "")) as OriginJob;
const settings = { provider: "cpu", threads: availableParallelism() } as const;
const idle = process.memoryUsage.rss();
const limit = freemem() * MEMORY_SHARE;
setInterval(() => {
  if (process.memoryUsage.rss() < limit) return;
  console.log(JSON.stringify({ exceeded: process.memoryUsage.rss() - idle }));
  process.exit(0);
}, 20).unref();

const started = performance.now();
let loaded = started;
if (job.stage === "vision_encoder") {
  const host = await EncoderHost.start({ ...settings, ...job.encoder });
  loaded = performance.now();
  await host.encode(job.source);
} else if (job.stage === "embed_tokens") {
  const embed = new EmbedTokens(await new Sessions(settings).create(job.embedTokens), job.tokens);
  loaded = performance.now();
  await embed.run(Int32Array.from({ length: job.tokens }, () => 0));
} else {
  const backbone = await openBackbone({ ...settings, ...job.source, maxSequences: 1 });
  loaded = performance.now();
  const length = Math.min(job.tokens, backbone.spec.maxPositions - ANSWER_TOKENS);
  const kv = backbone.open(length + ANSWER_TOKENS);
  let logits = await backbone.prefill(kv, await backbone.embed(new Int32Array(length)));
  for (let i = 0; i < ANSWER_TOKENS && logits.length > 0; i++) {
    const embeds = await backbone.embed(Int32Array.of(0));
    logits = (await backbone.decode([{ kv, embeds }]))[0] ?? new Float32Array();
  }
}
const figure: Figure = {
  memoryBytes: process.resourceUsage().maxRSS * 1024 - idle,
  loadMs: loaded - started,
  runMs: performance.now() - loaded,
};
console.log(JSON.stringify(figure));
process.exit(0);
