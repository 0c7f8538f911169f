import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plannedFromSegments, readPlanned, type PlannedFile } from "../file-plan.ts";
import { memoryByteSource, withByteSource } from "./byte-source.ts";
import { externalLocations, moveWeights } from "./external-data.ts";
import { readGraphIo } from "./graph-io.ts";
import { concatBytes, readFields, writeField, writeVarint } from "./wire.ts";

const MODEL = new URL("../../../model-artifacts/moji-vlm-9m/onnx/", import.meta.url).pathname;
/** The built-in model's graph of a stage, in whatever dtype it is kept. */
const graphOf = (stage: string) => {
  const name = readdirSync(MODEL).find((file) => file.startsWith(stage) && file.endsWith(".onnx"));
  if (name === undefined) throw new Error(`the built-in model has no ${stage}`);
  return join(MODEL, name);
};
const EMBED = graphOf("embed_tokens");
const ENCODER = graphOf("vision_encoder");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-onnx-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function bytesOf(file: PlannedFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.size);
  await readPlanned(file, 0, bytes);
  return bytes;
}

/** Writes graph and data as a release would hold them; the path of the graph. */
async function split(path: string, name: string): Promise<string> {
  const moved = await withByteSource(path, (source) => moveWeights(source, path, `${name}_data`));
  if (moved === null) throw new Error("nothing was moved");
  const graph = plannedFromSegments(name, moved.graph);
  const data = plannedFromSegments(`${name}_data`, moved.data);
  await writeFile(join(folder, name), await bytesOf(graph));
  await writeFile(join(folder, `${name}_data`), await bytesOf(data));
  return join(folder, name);
}

describe("moveWeights", () => {
  it("leaves every output as it was, to the bit", async () => {
    const pixels = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i));
    const feeds = { pixel_values: new Tensor("float32", pixels, [1, 3, 224, 224]) };
    const before = await (await InferenceSession.create(ENCODER)).run(feeds);
    const path = await split(ENCODER, "vision_encoder.onnx");
    const after = await (await InferenceSession.create(path)).run(feeds);
    expect(after["image_features"]?.data).toEqual(before["image_features"]?.data);
    expect((await readFile(path)).length).toBeLessThan(1_000_000);
  });

  it("keeps inputs and outputs, and names its one data file", async () => {
    const path = await split(EMBED, "embed_tokens.onnx");
    const before = await withByteSource(EMBED, readGraphIo);
    await withByteSource(path, async (source) => {
      expect(await readGraphIo(source)).toEqual(before);
      expect(await externalLocations(source)).toEqual(["embed_tokens.onnx_data"]);
      // What has external data already is left alone.
      expect(await moveWeights(source, path, "again")).toBeNull();
    });
    expect(before.inputs.map(({ name, dtype }) => [name, dtype])).toEqual([["input_ids", "int64"]]);
  });

  it("makes equal files from equal weights, and one differing byte from one differing weight", async () => {
    const changed = join(folder, "changed.onnx");
    await copyFile(EMBED, changed);
    const bytes = await readFile(changed);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(changed, bytes);
    const [a, b] = [await split(EMBED, "a.onnx"), await split(changed, "b.onnx")];
    const [one, two] = [await readFile(`${a}_data`), await readFile(`${b}_data`)];
    expect(one.length).toBe(two.length);
    expect(one.filter((byte, i) => byte !== two[i]).length).toBe(1);
  });
});

describe("external data below the top of a graph", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const inline = concatBytes([writeField(8, text("w")), writeField(9, new Uint8Array(4096))]);
  const external = writeField(13, concatBytes([writeField(1, text("location")), writeField(2, text("m.onnx_data"))]));
  /** A graph with one initializer of its own, and one node with this attribute. */
  const around = (attribute: Uint8Array) =>
    concatBytes([writeField(1, writeField(5, attribute)), writeField(5, inline)]);
  const branch = writeField(5, external);

  it.each([
    ["of a constant", writeField(7, around(writeField(5, external)))],
    ["of a list of tensors", writeField(7, around(writeField(10, external)))],
    ["of a branch", writeField(7, around(writeField(6, branch)))],
    ["of a branch in a branch", writeField(7, around(writeField(6, around(writeField(6, branch)))))],
    ["of one of several bodies", writeField(7, around(writeField(11, branch)))],
    [
      "of a sparse initializer",
      writeField(7, concatBytes([writeField(5, inline), writeField(15, writeField(1, external))])),
    ],
    ["of a sparse attribute", writeField(7, around(writeField(22, writeField(2, external))))],
    [
      "of a local function",
      concatBytes([
        writeField(7, writeField(5, inline)),
        writeField(25, writeField(7, writeField(5, writeField(5, external)))),
      ]),
    ],
  ])("%s is found, and the graph stays as it is", async (_, model) => {
    const source = memoryByteSource(model);
    expect(await externalLocations(source)).toEqual(["m.onnx_data"]);
    expect(await moveWeights(source, "m.onnx", "m.onnx_data")).toBeNull();
  });

  it("is looked for as deep as a runtime reads, no deeper", async () => {
    const nested = (levels: number): Uint8Array => (levels === 0 ? branch : around(writeField(6, nested(levels - 1))));
    expect(await externalLocations(memoryByteSource(writeField(7, nested(32))))).toEqual(["m.onnx_data"]);
    const deep = memoryByteSource(writeField(7, nested(40)));
    await expect(externalLocations(deep)).rejects.toThrow("nest too deep");
    await expect(moveWeights(deep, "m.onnx", "m.onnx_data")).rejects.toThrow("nest too deep");
  });
});

describe("hostile ONNX", () => {
  it.each([
    ["a number without end", new Uint8Array(20).fill(0xff)],
    ["a length beyond the file", concatBytes([writeVarint(58n), writeVarint(1_000_000n)])],
    ["a wire type of protobuf 2", new Uint8Array([0x0b])],
    ["no graph", writeField(1, new Uint8Array(3))],
    ["nothing", new Uint8Array()],
    ["HTML", new TextEncoder().encode("<!doctype html><html></html>")],
  ])("refuses %s", async (_, bytes) => {
    await expect(readGraphIo(memoryByteSource(bytes))).rejects.toThrow(/./);
  });

  it("refuses external data that lies elsewhere", async () => {
    const text = (value: string) => new TextEncoder().encode(value);
    const entry = concatBytes([writeField(1, text("location")), writeField(2, text("../secret"))]);
    const graph = writeField(7, writeField(5, writeField(13, entry)));
    await expect(externalLocations(memoryByteSource(graph))).rejects.toThrow("not beside the graph");
  });

  it("reads fields without touching their payload", async () => {
    const bytes = concatBytes([writeField(5, new Uint8Array(300)), writeField(7, new Uint8Array(2))]);
    const fields = await readFields(memoryByteSource(bytes), 0, bytes.length);
    expect(fields.map(({ number, end, payload }) => [number, end - payload])).toEqual([
      [5, 300],
      [7, 2],
    ]);
  });
});
