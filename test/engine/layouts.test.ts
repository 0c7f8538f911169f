import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Backbone } from "../../functions/origin/backbones/backbone.ts";
import { openBackbone } from "../../functions/origin/backbones/open.ts";
import { kvBytesPerToken } from "../../functions/origin/backbones/spec.ts";
import { warmUp } from "../../functions/origin/engine/warm-up.ts";
import { handBackRows } from "../../infra/releases/onnx/hand-back-rows.ts";
import { harness, random, request } from "./builtin.ts";
import { withHalfCache } from "./half-cache.ts";
import { expectAsAlone } from "./join-and-leave.ts";
import { mergedReference } from "./merged-reference.ts";

/** One model with random weights, `layouts/make.py`. */
const FOLDER = path.join(import.meta.dirname, "layouts");
const FILES = { decoder: path.join(FOLDER, "merged.onnx"), embedTokens: path.join(FOLDER, "embed_tokens.onnx") };
const TOKENS = 16;
const SAMPLING = { max_tokens: TOKENS, ignore_eos: true };

/** Longer and shorter than a block and than one step of a slot's room. */
const prompts = [40, 130, 5, 25, 70].map((length, n) =>
  Array.from({ length }, (_, i) => 1 + ((i * 37 + n * 11) % 150)),
);

/** The last one as a release has a graph of the second kind. */
const graphs = [
  { name: "a merged graph", file: "merged", layout: "merged" },
  { name: "a gqa graph", file: "gqa", layout: "gqa" },
  { name: "a rows graph", file: "rows", layout: "rows" },
  { name: "a rows graph made of a gqa graph", file: "gqa", layout: "rows" },
] as const;
const cases = graphs.flatMap((graph) =>
  (["float32", "float16"] as const).map((cacheType) => ({ ...graph, cacheType })),
);

describe.each(cases)("$name with a cache of $cacheType", ({ file, layout, cacheType }) => {
  let folder = "";
  let backbone: Backbone;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "fovea-layout-"));
    const stored = await readFile(path.join(FOLDER, `${file}.onnx`));
    const graph = file === layout ? stored : await handBackRows(stored);
    if (graph === null) throw new Error("The graph was left as it is.");
    const decoder = path.join(folder, "decoder.onnx");
    await writeFile(decoder, cacheType === "float16" ? await withHalfCache(graph) : graph);
    const config: unknown = JSON.parse(readFileSync(path.join(FOLDER, "config.json"), "utf8"));
    const shared = { provider: "cpu", threads: 1, maxSequences: 4, config, generationConfig: {} } as const;
    backbone = await openBackbone({ ...shared, decoder, embedTokens: FILES.embedTokens });
  });

  afterAll(async () => {
    await backbone.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("is told by its signature, and runs", async () => {
    const { spec } = backbone;
    expect(spec).toMatchObject({ layout, cacheType });
    expect(kvBytesPerToken(spec)).toBe(
      spec.layers * 2 * spec.kvHeads * spec.headDim * (cacheType === "float16" ? 2 : 4),
    );
    await expect(warmUp(backbone)).resolves.toBeUndefined();
  });

  it("gives the ids of plain calls of the concatenating graph, in a batch, and again from the prefix cache", async () => {
    const { engine, outcome, drain } = harness(backbone, { maxSequences: 4 });
    for (const round of ["first", "again"]) {
      for (const [n, tokenIds] of prompts.entries())
        engine.submit(request({ id: `${round} ${n}`, tokenIds, sampling: SAMPLING }));
      await drain();
    }
    const expected: number[][] = [];
    for (const prompt of prompts) expected.push(await mergedReference(FILES, backbone.spec, prompt, TOKENS));
    expect(prompts.map((_, n) => outcome(`first ${n}`).choices[0])).toEqual(expected);
    expect(outcome("again 1").cachedTokens).toBeGreaterThan(0);
    expect(prompts.map((_, n) => outcome(`again ${n}`).choices[0])).toEqual(expected);
    expect(new Set(expected.flat()).size).toBeGreaterThan(TOKENS);
  });

  it("gives the same events whoever joins and leaves, and however much of a prompt a step takes", async () => {
    const next = random(11);
    const requests = Array.from({ length: 14 }, (_, n) => {
      const tokenIds = Array.from({ length: 1 + Math.floor(next() * 140) }, () => 1 + Math.floor(next() * 150));
      const sampling = { max_tokens: 1 + Math.floor(next() * 150), temperature: n % 2, seed: n, logprobs: 2 };
      return request({ id: `mixed ${n}`, tokenIds, sampling: { ...sampling, ignore_eos: true } });
    });
    const settings = { maxSequences: 4, maxChunkTokens: 33, prefillSliceMs: 1 };
    await expectAsAlone(backbone, requests, { seed: 12, settings, alone: { maxChunkTokens: 512 } });
  });
});
