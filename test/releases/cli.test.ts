import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobKey } from "../../shared/releases/keys.ts";
import { generateKeyPair } from "../../shared/releases/ecdsa.ts";
import { fileStore } from "../../infra/store/file-store.ts";
import { readRelease } from "../../infra/releases/read-release.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";

const CLI = new URL("../../infra/cli.ts", import.meta.url).pathname;
const COMMANDS = ["publish", "promote", "rollback", "list", "diff", "verify", "gc", "deploy"];

let folder: string;
let model: string;
let store: string;
let keys: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-cli-"));
  model = join(folder, "model");
  store = `file:${join(folder, "store")}`;
  await writeSyntheticModel(model, 30);
  const pair = await generateKeyPair();
  await writeFile(join(folder, "key.pem"), pair.privatePem);
  await writeFile(join(folder, "pub.pem"), pair.publicPem);
  keys = ["--key", join(folder, "key.pem"), "--trust", join(folder, "pub.pem")];
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function fovea(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", cwd: folder });
}

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], { cwd: folder, stdio: "ignore" });
}

const json = (text: string): unknown => JSON.parse(text);

describe("the commands of releases", () => {
  it("explain themselves with --help", () => {
    for (const command of COMMANDS) {
      const { status, stdout } = fovea(command, "--help");
      expect([command, status]).toEqual([command, 0]);
      expect(stdout).toContain("--json");
    }
  });

  it("publish, promote, list, diff, verify, roll back and collect, with --json everywhere", () => {
    const base = ["--store", store, "--json"];
    const signed = [...base, ...keys];
    const trusted = [...base, ...keys.slice(2)];
    const published = json(
      fovea("publish", model, "--model", "tiny", "--version", "1.0.0", ...base, ...keys.slice(0, 2)).stdout,
    );
    expect(published).toMatchObject({ model: "tiny", version: "1.0.0", created: true });
    fovea("publish", model, "--model", "tiny", "--version", "1.0.1", ...base, ...keys.slice(0, 2));
    expect(json(fovea("promote", "tiny@1.0.0", "--channel", "production", ...signed).stdout)).toMatchObject({
      sequence: 1,
    });
    const canary = fovea("promote", "tiny@1.0.1", "--channel", "production", "--canary", "10", ...signed);
    expect(json(canary.stdout)).toMatchObject({ canary: { percent: 10 }, sequence: 2 });
    const listed = json(fovea("list", ...trusted).stdout) as { releases: { signed: boolean; channels: string[] }[] };
    expect(listed.releases.map(({ signed, channels }) => [signed, channels])).toEqual([
      [true, ["production"]],
      [true, ["production 10 %"]],
    ]);
    expect(json(fovea("diff", "tiny@1.0.0", "tiny@1.0.1", ...base).stdout)).toMatchObject({ newShards: 0 });
    expect(json(fovea("verify", "tiny@1.0.0", ...trusted).stdout)).toMatchObject({ ok: true });
    expect(json(fovea("rollback", "tiny", "--channel", "production", ...signed).stdout)).toMatchObject({
      canary: null,
      sequence: 3,
    });
    expect(json(fovea("gc", "--dry-run", ...trusted).stdout)).toMatchObject({ dryRun: true, blobs: 0 });
  });

  it("print no progress where nobody looks", () => {
    const { stderr } = fovea("verify", "tiny@1.0.0", "--store", store, "--unsigned");
    expect(stderr).toBe("");
  });

  it("verify ends with 1 and the file's name when one byte differs", async () => {
    const files = fileStore(join(folder, "store"));
    const { release } = await readRelease(files, "tiny", "1.0.0");
    const [shard] = release.files["onnx/decoder_model_merged.onnx_data"]?.shards ?? [];
    const key = blobKey(shard?.sha256 ?? "");
    const good = await files.get(key);
    const bad = Uint8Array.from(good ?? []);
    bad[5] = (bad[5] ?? 0) ^ 1;
    await files.put(key, bad);
    const { status, stdout } = fovea("verify", "tiny@1.0.0", "--store", store, "--unsigned");
    expect(status).toBe(1);
    expect(stdout).toContain("onnx/decoder_model_merged.onnx_data");
    await files.put(key, good ?? new Uint8Array());
  });

  it.each<[string, readonly string[], string]>([
    ["no key", ["publish", "model", "--model", "x", "--version", "1"], "nothing to sign with"],
    ["no trust", ["list"], "whose signatures count"],
    ["an unknown release", ["verify", "tiny@9", "--unsigned"], "not published"],
    ["half a name", ["verify", "tiny", "--unsigned"], "model@version"],
    [
      "a percentage of 100",
      ["promote", "tiny@1.0.0", "--channel", "x", "--canary", "100", "--unsigned"],
      "from 1 to 99",
    ],
    ["two minds", ["list", "--unsigned", "--trust", "pub.pem"], "neither"],
    ["a store that is none", ["list", "--unsigned", "--store", "ftp://x"], "not a store"],
  ])("say what to do with %s", (_, args, message) => {
    const withStore = args.includes("--store") ? args : [...args, "--store", store];
    const { status, stderr, stdout } = fovea(...withStore);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr.trim().split("\n").length).toBe(1);
    expect(stdout).toBe("");
    expect(json(fovea(...withStore, "--json").stdout)).toHaveProperty("error.message");
  });

  it("goes on after a kill and after Ctrl-C, from what is there", async () => {
    const big = join(folder, "big");
    await writeSyntheticModel(big, 200, 7);
    const target = join(folder, "killed");
    await mkdir(target, { recursive: true });
    const args = ["publish", big, "--model", "big", "--version", "1.0.0", "--store", `file:${target}`, "--unsigned"];
    const blobs = () => readdir(join(target, "blobs", "sha256")).catch(() => []);
    for (const [signal, code] of [
      ["SIGKILL", null],
      ["SIGINT", 130],
    ] as const) {
      const before = (await blobs()).length;
      const child = start(...args);
      const exited = once(child, "exit");
      while ((await blobs()).length <= before && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 2));
      child.kill(signal);
      expect((await exited)[0]).toBe(code);
      expect(existsSync(join(target, "releases"))).toBe(false);
    }
    const survivors = (await blobs()).length;
    const result = json(fovea(...args, "--json").stdout) as { uploadedShards: number; created: boolean };
    const total = (await blobs()).length;
    expect(result).toMatchObject({ created: true, uploadedShards: total - survivors });
    expect(survivors).toBeGreaterThan(0);
    expect(fovea("verify", "big@1.0.0", "--store", `file:${target}`, "--unsigned").status).toBe(0);
  });
});

describe("the reference tool of OpenSSF Model Signing", () => {
  const pythons = [process.env["FOVEA_MODEL_SIGNING_PYTHON"] ?? "", "python3"];
  const python = pythons.find(
    (name) => name !== "" && spawnSync(name, ["-c", "import model_signing.signing"]).status === 0,
  );
  if (python === undefined) {
    console.log(
      "skipped: model-signing is not installed (pip install model-signing, FOVEA_MODEL_SIGNING_PYTHON=python)",
    );
  }

  it.skipIf(python === undefined)("verifies what we sign, and refuses it when a file changes", async () => {
    const output = join(folder, "exported");
    await mkdir(output);
    expect(fovea("verify", "tiny@1.0.0", "--store", store, "--output", output, ...keys.slice(2)).status).toBe(0);
    const reference = () =>
      spawnSync(
        python ?? "",
        [
          "-m",
          "model_signing",
          "verify",
          "key",
          "--public_key",
          join(folder, "pub.pem"),
          "--signature",
          join(output, "model.sig"),
          output,
        ],
        { encoding: "utf8" },
      );
    expect(reference().stdout).toContain("succeeded");
    await writeFile(join(output, "config.json"), "{}");
    expect(reference().status).not.toBe(0);
  });

  it.skipIf(python === undefined)("signs what we verify", async () => {
    const { openModelSignature } = await import("../../shared/releases/model-signing.ts");
    const { importPublicKey } = await import("../../shared/releases/ecdsa.ts");
    const signature = join(folder, "reference.sig");
    const sign = [
      "-m",
      "model_signing",
      "sign",
      "key",
      "--private_key",
      join(folder, "key.pem"),
      "--signature",
      signature,
      model,
    ];
    expect(spawnSync(python ?? "", sign, { encoding: "utf8" }).status).toBe(0);
    const trust = [await importPublicKey(await readFile(join(folder, "pub.pem"), "utf8"))];
    const files = await openModelSignature(await readFile(signature), trust);
    expect([...files.keys()]).toEqual([
      "config.json",
      "onnx/decoder_model_merged.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  });
});
