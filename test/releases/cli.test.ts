import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
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
import { findPython } from "./python.ts";
import { startMiniflareS3, type S3Server } from "./s3-servers.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";

const CLI = new URL("../../infra/cli.ts", import.meta.url).pathname;
const COMMANDS = ["publish", "promote", "rollback", "list", "diff", "verify", "gc", "deploy"];

let folder: string;
let model: string;
let store: string;
let keys: readonly string[];
let s3: S3Server;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  s3 = await startMiniflareS3();
  const { endpoint, accessKeyId, secretAccessKey } = s3.options;
  const credentials = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  env = { ...process.env, FOVEA_S3_ENDPOINT: endpoint, ...credentials };
  folder = await mkdtemp(join(tmpdir(), "fovea-cli-"));
  model = join(folder, "model");
  store = `file:${join(folder, "store")}`;
  await writeSyntheticModel(model, 30);
  const pair = await generateKeyPair();
  await writeFile(join(folder, "key.pem"), pair.privatePem);
  await writeFile(join(folder, "pub.pem"), pair.publicPem);
  keys = ["--key", join(folder, "key.pem"), "--trust", join(folder, "pub.pem")];
});

afterAll(async () => {
  await s3.close();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Beside the event loop, which serves the S3 endpoint of these tests. */
function fovea(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { cwd: folder, env }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], { cwd: folder, stdio: "ignore" });
}

interface Listed {
  readonly channels: readonly unknown[];
  readonly releases: readonly {
    readonly signed: boolean;
    readonly channels: readonly string[];
    readonly bytes: number;
    readonly sharedBytes: number;
  }[];
}

const json = (text: string): unknown => JSON.parse(text);

describe("the commands of releases", () => {
  it("explain themselves with --help, and take a store and --json", async () => {
    await Promise.all(
      COMMANDS.map(async (command) => {
        const { status, stdout } = await fovea(command, "--help");
        expect([command, status]).toEqual([command, 0]);
        expect(stdout).toContain("--json");
        expect(stdout).toContain("s3://bucket|file:path");
      }),
    );
  });

  it.each<[string, () => string]>([
    ["a folder", () => store],
    ["an S3 bucket", () => `s3://${s3.bucket}`],
  ])("publish, promote, list, diff, verify, roll back and collect in %s, with --json everywhere", async (_, url) => {
    const base = ["--store", url(), "--json"];
    const signed = [...base, ...keys];
    const trusted = [...base, ...keys.slice(2)];
    const run = async (...args: readonly string[]) => json((await fovea(...args)).stdout);
    const publish = (version: string) =>
      run("publish", model, "--model", "tiny", "--version", version, ...base, ...keys.slice(0, 2));
    expect(await publish("1.0.0")).toMatchObject({ model: "tiny", version: "1.0.0", created: true });
    expect(await publish("1.0.1")).toMatchObject({ created: true, uploadedShards: 0 });
    expect(await run("promote", "tiny@1.0.0", "--channel", "production", ...signed)).toMatchObject({ sequence: 1 });
    expect(await run("promote", "tiny@1.0.1", "--channel", "production", "--canary", "10", ...signed)).toMatchObject({
      canary: { percent: 10 },
      sequence: 2,
    });
    const listed = (await run("list", ...trusted)) as Listed;
    expect(listed.channels).toMatchObject([{ channel: "production", sequence: 2, stable: { version: "1.0.0" } }]);
    expect(listed.releases.map(({ signed, channels }) => [signed, channels])).toEqual([
      [true, ["production"]],
      [true, ["production 10 %"]],
    ]);
    for (const { bytes, sharedBytes } of listed.releases) {
      expect(bytes).toBeGreaterThan(30_000_000);
      expect(sharedBytes).toBe(bytes);
    }
    const { stdout } = await fovea("list", "--store", url(), ...keys.slice(2));
    expect(stdout).toMatch(/tiny on production +1\.0\.0 +1\.0\.1 10 % +2 /);
    expect(stdout).toMatch(/tiny@1\.0\.0 +30\.1 MB +30\.1 MB +yes +production/);
    expect(await run("diff", "tiny@1.0.0", "tiny@1.0.1", ...base)).toMatchObject({ newShards: 0 });
    expect(await run("verify", "tiny@1.0.0", ...trusted)).toMatchObject({ ok: true });
    expect(await run("rollback", "tiny", "--channel", "production", ...signed)).toMatchObject({
      canary: null,
      sequence: 3,
    });
    expect(await run("gc", "--dry-run", ...trusted)).toMatchObject({ dryRun: true, blobs: 0 });
    expect(await run("deploy", "production", "--dry-run", ...trusted)).toContainEqual(
      expect.objectContaining({ args: expect.arrayContaining(['RELEASE_FLOORS:{"tiny":3}']) as string[] }),
    );
  });

  it("print each step of a deploy without taking it, encoder before edge", async () => {
    const { status, stdout } = await fovea("deploy", "production", "--dry-run", "--store", store, ...keys.slice(2));
    expect(status).toBe(0);
    const at = (step: string) => stdout.indexOf(step);
    expect(at("'<new encoder>@100%'")).toBeGreaterThan(at("versions upload"));
    expect(at("'<new edge>@0%'")).toBeGreaterThan(at("'<new encoder>@100%'"));
    expect(at("'<new edge>@100%'")).toBeGreaterThan(at("Cloudflare-Workers-Version-Overrides"));
    const back = await fovea("deploy", "staging", "--dry-run", "--rollback", "--json");
    expect(json(back.stdout)).toMatchObject([{ worker: "edge" }, { worker: "encoder" }]);
  });

  it("say the next one with the store that was given, and make a channel of another name when told so", async () => {
    const base = ["--store", store, "--unsigned"];
    const { stdout } = await fovea("publish", model, "--model", "tiny", "--version", "1.0.0", ...base);
    expect(stdout).toContain(`next: fovea promote tiny@1.0.0 --channel staging --store ${store} --unsigned\n`);
    const promote = async (...more: string[]) =>
      (await fovea("promote", "tiny@1.0.0", "--channel", "eu", ...base, ...more)).status;
    expect([await promote(), await promote("--new"), await promote()]).toEqual([2, 0, 0]);
    expect((await fovea("promote", "--help")).stdout).toContain("local|staging|production");
  });

  it("print no progress where nobody looks", async () => {
    const { stderr } = await fovea("verify", "tiny@1.0.0", "--store", store, "--unsigned");
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
    const { status, stdout } = await fovea("verify", "tiny@1.0.0", "--store", store, "--unsigned");
    expect(status).toBe(1);
    expect(stdout).toContain("onnx/decoder_model_merged.onnx_data");
    await files.put(key, good ?? new Uint8Array());
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
    const result = json((await fovea(...args, "--json")).stdout) as { uploadedShards: number; created: boolean };
    const total = (await blobs()).length;
    expect(result).toMatchObject({ created: true, uploadedShards: total - survivors });
    expect(survivors).toBeGreaterThan(0);
    expect((await fovea("verify", "big@1.0.0", "--store", `file:${target}`, "--unsigned")).status).toBe(0);
  });
});

describe("the reference tool of OpenSSF Model Signing", () => {
  const python = findPython("FOVEA_MODEL_SIGNING_PYTHON", "model_signing.signing");
  if (python === null) {
    console.log(
      "skipped: model-signing is not installed (pip install model-signing pyopenssl, FOVEA_MODEL_SIGNING_PYTHON=python)",
    );
  }

  it.skipIf(python === null)("verifies what we sign, and refuses it when a file changes", async () => {
    const output = join(folder, "exported");
    await mkdir(output);
    const exported = await fovea("verify", "tiny@1.0.0", "--store", store, "--output", output, ...keys.slice(2));
    expect(exported.status).toBe(0);
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

  it.skipIf(python === null)("signs what we verify", async () => {
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
