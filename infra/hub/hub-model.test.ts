import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeField } from "../releases/onnx/wire.ts";
import { FakeHub, type Fault } from "./fake-hub.testing.ts";
import { HubModel, isRepositoryName, type HubModelOptions } from "./hub-model.ts";

const REPOSITORY = "acme/tiny-vlm";
const WEIGHTS = "onnx/decoder_model_merged.onnx_data";
/** Not one byte like another for long, so that a wrong place shows. */
const bytes = (length: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 17 + seed) & 255));

/** A graph with one tensor, whose data lies in another file. */
function externalGraph(location: string): Buffer {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const entry = Buffer.concat([writeField(1, text("location")), writeField(2, text(location))]);
  return Buffer.from(writeField(7, writeField(5, writeField(13, entry))));
}

const FILES: Readonly<Record<string, Buffer>> = {
  ".gitattributes": Buffer.from("*.onnx filter=lfs"),
  "README.md": Buffer.from("---\nlicense: mit\n---\n"),
  "config.json": Buffer.from('{"model_type":"llava"}'),
  "model.safetensors": bytes(5000, 1),
  "onnx/decoder_model_merged.onnx": externalGraph("decoder_model_merged.onnx_data"),
  [WEIGHTS]: bytes(200_000, 2),
  "onnx/decoder_model_merged_q4.onnx": bytes(3000, 3),
  "tokenizer.json": bytes(4000, 4),
};

let hub: FakeHub;
let cacheDir: string;

beforeEach(async () => {
  hub = await FakeHub.start({ repository: REPOSITORY, files: FILES });
  cacheDir = await mkdtemp(path.join(tmpdir(), "fovea-hub-"));
});

afterEach(async () => {
  await hub.stop();
  await rm(cacheDir, { recursive: true, force: true });
});

function open(options: Partial<HubModelOptions> = {}): Promise<HubModel> {
  return HubModel.open(REPOSITORY, { endpoint: hub.endpoint, cacheDir, backoffMs: 1, ...options });
}

/** Downloads everything; gives the files of the snapshot with their content. */
async function download(options: Partial<HubModelOptions> = {}): Promise<Record<string, Buffer>> {
  const model = await open(options);
  const folder = await model.configuration();
  await model.weights();
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.toSorted().map(async (file) => [path.relative(folder, file), await readFile(file)])),
  ) as Record<string, Buffer>;
}

const NEEDED = ["README.md", "config.json", "onnx/decoder_model_merged.onnx", WEIGHTS, "tokenizer.json"];
const EXPECTED = Object.fromEntries(NEEDED.map((name) => [name, FILES[name]]));

describe("HubModel", () => {
  it("brings what is needed and nothing else, once", async () => {
    expect(await download()).toEqual(EXPECTED);
    expect(hub.requests.map((request) => request.path).toSorted()).toEqual(NEEDED);
    hub.requests.length = 0;
    expect(await download()).toEqual(EXPECTED);
    expect(hub.requests).toEqual([]);
  });

  it("sends the token to the hub, and not to the store behind it", async () => {
    await hub.stop();
    hub = await FakeHub.start({ repository: REPOSITORY, files: FILES, token: "secret" });
    expect(await download({ token: "secret" })).toEqual(EXPECTED);
    expect(hub.leaked).toEqual([]);
    await expect(open()).rejects.toMatchObject({
      fault: "gated",
      message: expect.stringContaining("accept its terms") as string,
    });
    const far = new URL("http://hub.example.com");
    await expect(open({ endpoint: far, token: "secret" })).rejects.toThrow("https only");
  });

  it("brings settings first, so that a model that cannot be served costs no weights", async () => {
    await (await open()).configuration();
    expect(hub.requests.map((request) => request.path).toSorted()).toEqual([
      "README.md",
      "config.json",
      "tokenizer.json",
    ]);
  });

  it("fetches a content once that two files have, and ends the other files at the first failure", async () => {
    const twin = bytes(4000, 4);
    hub.files = { ...FILES, "tokenizer_config.json": twin };
    expect(await download()).toEqual({ ...EXPECTED, "tokenizer_config.json": twin });
    expect(hub.requests.filter(({ path: name }) => name.startsWith("tokenizer"))).toHaveLength(1);
    hub.files = { ...FILES, "config.json": bytes(90_000, 5), "tokenizer.json": bytes(90_000, 6) };
    hub.fault("config.json", "slow");
    hub.fault("tokenizer.json", 403);
    // Nothing else would end the slow one: silence counts after half a minute.
    await expect(download()).rejects.toMatchObject({ fault: "forbidden" });
  });

  it("counts the bytes up to their sum", async () => {
    const seen: [number, number][] = [];
    await download({ onProgress: (done, total) => seen.push([done, total]) });
    const sum = NEEDED.reduce((total, name) => total + (FILES[name]?.length ?? 0), 0);
    expect(seen.at(-1)).toEqual([sum, sum]);
  });

  it.each<[string, Fault[], number[]]>([
    ["a busy hub", ["busy", "busy"], [0, 0, 0]],
    ["a cut connection", ["cut"], [0, 100_000]],
    ["two cuts", ["cut", "cut"], [0, 100_000, 150_000]],
    ["a connection that falls silent", ["slow"], [0, 100_000]],
    ["a flipped bit", ["flip"], [0, 0]],
    ["a cut, and a server without ranges", ["cut", "no-range"], [0, 100_000]],
    ["a cut, and a range that is refused", ["cut", 416], [0, 100_000, 0]],
  ])("gets over %s", async (_, faults, starts) => {
    hub.fault(WEIGHTS, ...faults);
    expect(await download({ stallMs: 300 })).toEqual(EXPECTED);
    expect(hub.startsOf(WEIGHTS)).toEqual(starts);
  });

  it("goes on where an aborted run left off", async () => {
    hub.fault(WEIGHTS, "slow");
    const stop = new AbortController();
    const reason = new Error("stopped by hand");
    const onProgress = (done: number): void => void (done > 100_000 && stop.abort(reason));
    await expect(download({ signal: stop.signal, onProgress })).rejects.toBe(reason);
    expect(await download()).toEqual(EXPECTED);
    expect(hub.startsOf(WEIGHTS)[1]).toBeGreaterThan(0);
  });

  it("never mixes two commits' bytes", async () => {
    hub.fault(WEIGHTS, "slow");
    await expect(download({ signal: AbortSignal.timeout(400) })).rejects.toThrow("timeout");
    hub.commit = "b".repeat(40);
    const weights = bytes(200_000, 9);
    hub.files = { ...FILES, [WEIGHTS]: weights };
    expect(await download()).toEqual({ ...EXPECTED, [WEIGHTS]: weights });
    expect(hub.startsOf(WEIGHTS)).toEqual([0, 0]);
  });

  it("does not use a cached file that has gone bad", async () => {
    await download();
    const blobs = path.join(cacheDir, "models--acme--tiny-vlm/blobs");
    for (const name of await readdir(blobs)) await writeFile(path.join(blobs, name), "bad");
    expect(await download()).toEqual(EXPECTED);
  });

  it.each<[string, Fault[], string]>([
    ["a hash that is wrong again", ["flip", "flip"], "wrong_hash"],
    ["an etag of other content", ["other-etag"], "changed"],
    ["a hub that stays busy", ["busy", "busy", "busy", "busy", "busy"], "unavailable"],
    ["a file that the store does not give", [403], "forbidden"],
    ["a file that is gone", [404], "not_found"],
  ])("stops at %s", async (_, faults, fault) => {
    hub.fault(WEIGHTS, ...faults);
    await expect(download()).rejects.toMatchObject({ name: "HubError", fault });
  });

  it.each<[Fault, string]>([
    ["redirect-api", "redirected"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
  ])("names what the API's %s means", async (fault, expected) => {
    hub.fault("api", fault);
    await expect(open()).rejects.toMatchObject({ name: "HubError", fault: expected });
  });

  it("says that there is no such revision", async () => {
    await expect(open({ revision: "v9" })).rejects.toThrow("no such revision of acme/tiny-vlm");
    await expect(open({ revision: "../main" })).rejects.toThrow("not a branch, tag or commit");
  });

  it.each(["../evil", "onnx/../../evil", "/etc/evil", "C:\\evil"])("refuses a listing with %s", async (name) => {
    hub.files = { ...FILES, [name]: Buffer.from("evil") };
    await expect(open()).rejects.toMatchObject({ fault: "bad_name" });
  });

  it("refuses settings that are too large to parse, and a disk that is too small", async () => {
    hub.files = { ...FILES, "config.json": Buffer.alloc(100_663_297) };
    await expect(download()).rejects.toMatchObject({ fault: "too_large" });
    hub.files = FILES;
    await expect(download({ freeBytes: () => Promise.resolve(100_000) })).rejects.toThrow("disk of the cache has 1 MB");
  });

  it.skipIf(process.platform === "win32")("never writes through a link in the place of what has come", async () => {
    const blobs = path.join(cacheDir, "models--acme--tiny-vlm/blobs");
    const elsewhere = path.join(cacheDir, "elsewhere");
    await writeFile(elsewhere, "mine");
    const model = await open();
    await symlink(elsewhere, path.join(blobs, `${hub.oidOf(WEIGHTS)}.incomplete`));
    await model.weights();
    expect(await readFile(elsewhere, "utf8")).toBe("mine");
    expect((await lstat(path.join(blobs, hub.oidOf(WEIGHTS)))).isFile()).toBe(true);
  });
});

describe("isRepositoryName", () => {
  it.each([
    ["HuggingFaceTB/SmolVLM-256M-Instruct", true],
    ["gpt2", false],
    ["../up", false],
    ["org/..", false],
    ["a/b/c", false],
    ["org/na--me", false],
    ["./folder", false],
  ])("%s: %s", (text, expected) => expect(isRepositoryName(text)).toBe(expected));
});
