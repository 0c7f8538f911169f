import { Hono } from "hono";
import type { OriginContext, OriginEnv } from "../context.ts";
import type { EngineReport } from "../engine/messages.ts";
import { Exposition } from "./exposition.ts";

/** `/metrics` for Prometheus: public like the health routes, numbers only. */
export function metricsRoute(origin: OriginContext): Hono<OriginEnv> {
  const app = new Hono<OriginEnv>();
  app.get("/metrics", async (c) => {
    const page = new Exposition();
    writeProcess(page, origin);
    for (const { local, engine } of origin.serving.ready) {
      const report = await engine.report();
      if (report !== null) writeEngine(page, report, `${local.release.name}@${local.release.version}`);
    }
    return c.body(page.toString(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  });
  return app;
}

function writeProcess(page: Exposition, { admission, features, serving }: OriginContext): void {
  page.gauge("fovea_requests_in_flight", "Requests that are read, wait or run", admission.inFlight);
  for (const [reason, count] of Object.entries(admission.refused)) {
    page.counter("fovea_requests_refused_total", "Requests refused before their body was read", count, { reason });
  }
  page.gauge("fovea_feature_cache_bytes", "Memory of cached features", features.bytes);
  page.counter("fovea_feature_cache_hits_total", "Features named by hash that were held", features.hits);
  page.counter("fovea_feature_cache_misses_total", "Features named by hash that were not held", features.misses);
  page.gauge("fovea_releases_ready", "Releases that can serve", serving.ready.length);
  page.gauge("process_resident_memory_bytes", "Resident memory", process.memoryUsage.rss());
}

function writeEngine(page: Exposition, report: EngineReport, release: string): void {
  const { stats, blocks, prefix } = report;
  const labels = { release };
  page.gauge("fovea_queue_length", "Requests that wait for admission", report.waiting, labels);
  page.gauge("fovea_running_sequences", "Sequences in the batch or in prefill", report.running, labels);
  page.gauge("fovea_kv_blocks", "Cache blocks", blocks.total, { ...labels, state: "total" });
  page.gauge("fovea_kv_blocks", "Cache blocks", blocks.reserved, { ...labels, state: "reserved" });
  page.gauge("fovea_kv_blocks", "Cache blocks", blocks.cached, { ...labels, state: "prefix" });
  page.counter("fovea_prefix_lookup_tokens_total", "Prompt tokens looked up", prefix.lookups, labels);
  page.counter("fovea_prefix_hit_tokens_total", "Prompt tokens found in the prefix cache", prefix.hits, labels);
  page.counter("fovea_prompt_tokens_total", "Prompt tokens computed", stats.promptTokens, labels);
  page.counter("fovea_answer_tokens_total", "Tokens decoded in steps", stats.answerTokens, labels);
  page.counter("fovea_steps_total", "Decode steps", stats.steps, labels);
  page.counter("fovea_batch_size_sum", "Sum of batch sizes over all steps", stats.batched, labels);
  page.counter("fovea_prefill_seconds_total", "Time spent on prompts", stats.prefillSeconds, labels);
  page.counter("fovea_decode_seconds_total", "Time spent on decode steps", stats.decodeSeconds, labels);
  for (const [outcome, count] of Object.entries(stats.outcomes)) {
    page.counter("fovea_requests_total", "Requests that ended", count, { ...labels, outcome });
  }
  page.histogram("fovea_time_to_first_token_seconds", "From submission to the first token", stats.ttft, labels);
  page.histogram("fovea_time_per_token_seconds", "Duration of a decode step", stats.timePerToken, labels);
}
