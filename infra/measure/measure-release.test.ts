import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILTIN_DIR } from "../local/builtin.ts";
import { hashRelease } from "../releases/hash-release.ts";
import { readHubFolder, type HubFolder } from "../releases/hub-folder.ts";
import { planRelease, type PlannedRelease } from "../releases/plan-release.ts";
import type { Release } from "../../shared/releases/release.ts";
import { keptFigure } from "./kept-figure.ts";
import { measureRelease } from "./measure-release.ts";
import { runStage } from "./origin-stages.ts";

const MIB = 1024 * 1024;

let directory: string;
let hub: HubFolder;
let estimated: PlannedRelease;
let files: Release["files"];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "fovea-measure-"));
  const model = path.join(directory, "model");
  // Without examples there is no gate, so the encoder stays an ONNX graph, which can run on either side.
  await cp(BUILTIN_DIR, model, { recursive: true, filter: (file) => !file.includes("examples") });
  hub = await readHubFolder(model);
  estimated = await planRelease(model);
  ({ files } = await hashRelease(estimated, { model: "moji", version: "1" }));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe("measureRelease", () => {
  it("measures each stage where it runs: the encoder in workerd when it fits", async () => {
    const cacheDir = path.join(directory, "measured");
    const measured = await measureRelease(estimated, hub, { place: "auto", files, cacheDir });
    const { vision_encoder, embed_tokens, backbone } = measured.planned.stages;
    expect(vision_encoder?.placement).toBe("edge");
    // Runtime, 17 MB of weights in float32; the encoder's isolate has 96 MiB.
    expect(vision_encoder?.memoryBytes).toBeGreaterThan(32 * MIB);
    expect(vision_encoder?.memoryBytes).toBeLessThanOrEqual(96 * MIB);
    expect(Object.keys(measured.figures)).toEqual(["vision_encoder", "embed_tokens", "backbone"]);
    for (const stage of [embed_tokens, backbone]) expect(stage?.memoryBytes).toBeGreaterThan(0);
    const again = await measureRelease(estimated, hub, { place: "auto", files, cacheDir });
    expect(again).toEqual(measured);
    expect(await readdir(cacheDir)).toHaveLength(3);
  });

  it("does not try an encoder at the edge that cannot fit, and measures it at the origin", async () => {
    const cacheDir = path.join(directory, "other");
    const measured = await measureRelease(estimated, hub, { place: "auto", files, cacheDir, budgetBytes: 20 * MIB });
    expect(measured.encoderAtEdge).toMatch(/^weights and the largest picture alone take \d+ MiB of 20 MiB/);
    expect(measured.planned.stages.vision_encoder?.placement).toBe("origin");
    expect(measured.figures.vision_encoder?.memoryBytes).toBeGreaterThan(17 * MIB);
  });
});

describe("runStage", () => {
  it("says in its own words why a stage does not run", async () => {
    const job = { stage: "embed_tokens", embedTokens: path.join(directory, "none.onnx"), tokens: 4 } as const;
    await expect(runStage(job)).rejects.toThrow(/^the embed_tokens does not run here: .*none\.onnx/);
  });
});

describe("keptFigure", () => {
  it("measures once for the same inputs", async () => {
    const cacheDir = path.join(directory, "kept");
    let runs = 0;
    const measure = () => Promise.resolve({ memoryBytes: ++runs, loadMs: 1, runMs: 1 });
    const ask = (input: string) => keptFigure([input], measure, cacheDir).then(({ memoryBytes }) => memoryBytes);
    expect([await ask("a"), await ask("a"), await ask("b")]).toEqual([1, 1, 2]);
  });
});
