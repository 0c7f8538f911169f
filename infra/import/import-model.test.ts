import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeHub, filesOf } from "../hub/fake-hub.testing.ts";
import { HubModel } from "../hub/hub-model.ts";
import { BUILTIN_DIR } from "../local/builtin.ts";
import { LOCAL_CHANNEL } from "../local/publish-builtin.ts";
import { ROOT } from "../paths.ts";
import { readHubFolder, type HubFolder } from "../releases/hub-folder.ts";
import { planRelease } from "../releases/plan-release.ts";
import { readChannel } from "../releases/promote-release.ts";
import { openStore } from "../store/open-store.ts";
import { checkFiles, checkGraphs } from "./check-model.ts";
import { importModel } from "./import-model.ts";
import { localModel } from "./model-source.ts";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "fovea-import-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** The built-in model's folder with one JSON file changed, or files taken away. */
async function folderWith(change: {
  readonly json?: Readonly<Record<string, (value: unknown) => unknown>>;
  readonly without?: readonly string[];
}): Promise<HubFolder> {
  const folder = await readHubFolder(BUILTIN_DIR);
  const gone = new Set(change.without);
  return {
    ...folder,
    files: folder.files.filter((file) => !gone.has(file)),
    has: (name) => folder.has(name) && !gone.has(name),
    json: async (name) => {
      if (gone.has(name)) throw new Error(`no such file: ${name}`);
      return (change.json?.[name] ?? ((value: unknown) => value))(await folder.json(name));
    },
  };
}

const merged = (keys: object) => (value: unknown) => ({ ...(value as object), ...keys });

describe("checkFiles", () => {
  it("finds nothing wrong with the built-in model", async () => {
    expect(await checkFiles(await folderWith({}))).toEqual([]);
  });

  it("names the key of a family that is not served", async () => {
    const folder = await folderWith({ json: { "config.json": merged({ model_type: "florence2" }) } });
    expect(await checkFiles(folder)).toEqual([
      { stage: "model", file: "config.json", key: "model_type", reason: "the family florence2 is not served" },
    ]);
  });

  it("refuses a model that hears, even without a processor that would tell", async () => {
    const audio = merged({ audio_config: { model_type: "whisper" } });
    const folder = await folderWith({ json: { "config.json": audio }, without: ["preprocessor_config.json"] });
    expect(await checkFiles(folder)).toMatchObject([{ file: "config.json", key: "audio_config" }]);
  });

  it("takes BLIP-2 with a decoder, and refuses it with T5", async () => {
    const blip2 = async (decoderOnly: boolean): Promise<string[]> => {
      const config = { model_type: "blip-2", use_decoder_only_language_model: decoderOnly };
      const found = await checkFiles(await folderWith({ json: { "config.json": merged(config) } }));
      return found.map(({ key, reason }) => `${key ?? ""} ${reason}`);
    };
    expect(await blip2(true)).toEqual([]);
    expect(await blip2(false)).toEqual(["is_encoder_decoder backbones with an encoder of text are not served"]);
  });

  it("names each of several obstacles", async () => {
    const folder = await folderWith({
      json: { "preprocessor_config.json": merged({ image_processor_type: "SamImageProcessor" }) },
      without: ["tokenizer.json"],
    });
    const found = await checkFiles(folder);
    expect(found.map(({ stage, file }) => `${stage} ${file}`)).toEqual([
      "tokenizer tokenizer.json",
      "image_processor preprocessor_config.json",
    ]);
    expect(found[1]?.reason).toContain("SamImageProcessor");
  });
});

describe("checkGraphs", () => {
  it("names an encoder's input that no picture gives, and the processor that an encoder needs", async () => {
    const planned = await planRelease(BUILTIN_DIR);
    const encoder = planned.stages.vision_encoder;
    if (encoder === undefined) throw new Error("The built-in model has an encoder.");
    expect(checkGraphs(planned)).toEqual([]);
    const depth = { name: "depth_values", dtype: "float32", shape: [1] } as const;
    const stages = { ...planned.stages, vision_encoder: { ...encoder, inputs: [...encoder.inputs, depth] } };
    expect(checkGraphs({ ...planned, stages })).toMatchObject([{ stage: "vision_encoder", key: "depth_values" }]);
    const { image_processor: _, ...blind } = planned.stages;
    expect(checkGraphs({ ...planned, stages: blind })).toMatchObject([{ file: "preprocessor_config.json" }]);
  });
});

describe("importModel", () => {
  it("makes the same release of a model at a hub and of its folder", async () => {
    const repository = "acme/Idefics3-tiny";
    const folder = path.join(ROOT, "test/zoo/models/idefics3");
    const hub = await FakeHub.start({ repository, files: await filesOf(folder) });
    const store = await openStore(`file:${path.join(directory, "hub-store")}`);
    const cacheDir = path.join(directory, "hub");
    const options = { store, place: "auto", measure: false, key: null, trust: "unsigned" } as const;
    try {
      const source = await HubModel.open(repository, { endpoint: hub.endpoint, cacheDir });
      const fromHub = await importModel(source, { ...options, model: source.name });
      const fromFolder = await importModel(localModel(folder), { ...options, model: "Idefics3-tiny" });
      expect(fromFolder).toMatchObject({ digest: fromHub.digest, created: false });
      expect(fromHub.release.stages.vision_encoder?.files[0]).toBe("onnx/vision_encoder.onnx");
    } finally {
      store.close();
      await hub.stop();
    }
  });

  it("publishes, promotes to the local channel, and changes nothing the second time", async () => {
    const store = await openStore(`file:${directory}`);
    const options = { model: "moji", store, place: "origin", measure: false, key: null, trust: "unsigned" } as const;
    const first = await importModel(localModel(BUILTIN_DIR), options);
    // A graph, though the model brings examples that its encoder could be compiled with for the edge.
    expect(first.release.stages.vision_encoder).toMatchObject({ placement: "origin", movable: true, dtype: "fp16" });
    expect(first.picture?.where).toBe("origin");
    // What the release was published with stands: nothing is measured anew, so its digest cannot change.
    const onStage = (what: string): void => expect.unreachable(what);
    const again = await importModel(localModel(BUILTIN_DIR), { ...options, measure: true, onStage });
    expect(again).toMatchObject({ digest: first.digest, created: false });
    const channel = await readChannel(store, "moji", LOCAL_CHANNEL, "unsigned");
    expect(channel).toMatchObject({ sequence: 1, stable: { digest: first.digest, version: first.version } });
    store.close();
  });
});
