import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSyntheticModel } from "./synthetic-model.ts";

const CLI = new URL("../../infra/cli.ts", import.meta.url).pathname;

let folder: string;
let store: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-cli-errors-"));
  store = `file:${join(folder, "store")}`;
  await writeFile(join(folder, "key.pem"), "");
  await writeSyntheticModel(join(folder, "model"), 1);
  await mkdir(join(folder, "My Model"));
  await mkdir(join(folder, "gguf"));
  await writeFile(join(folder, "gguf", "model-q4.gguf"), "GGUF");
  await writeSyntheticModel(join(folder, "safetensors"), 1);
  await rm(join(folder, "safetensors", "onnx"), { recursive: true });
  await mkdir(join(folder, "store"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function fovea(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { cwd: folder, env }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe("the commands of releases", () => {
  it.each<[string, readonly string[], string, (1 | 2)?]>([
    ["no key", ["publish", "model", "--model", "x", "--version", "1"], "nothing to sign with"],
    ["no trust", ["list"], "whose signatures count"],
    ["an unknown release", ["verify", "tiny@9", "--unsigned"], "not published", 1],
    ["half a name", ["verify", "tiny", "--unsigned"], "model@version", 1],
    [
      "a percentage of 100",
      ["promote", "tiny@1.0.0", "--channel", "staging", "--canary", "100", "--unsigned"],
      "from 1 to 99",
    ],
    ["two minds", ["list", "--unsigned", "--trust", "pub.pem"], "neither"],
    ["a store that is none", ["list", "--unsigned", "--store", "ftp://x"], "not a store"],
    ["a stage that is none", ["deploy", "nowhere", "--dry-run"], "staging or production"],
    ["a store folder that is not there", ["list", "--unsigned", "--store", "file:typo"], "no store folder typo", 1],
    ["a folder with no name for a model", ["import", "My Model", "--unsigned"], "give --model NAME"],
    ["no name of a version", ["publish", "model", "--model", "x", "--version", "a b", "--unsigned"], "give --version"],
    [
      "a folder of GGUF",
      ["publish", "gguf", "--model", "x", "--version", "1", "--unsigned"],
      "GGUF files are not read; an ONNX export is needed",
      1,
    ],
    [
      "a folder without graphs",
      ["publish", "safetensors", "--model", "x", "--version", "1", "--unsigned"],
      "an ONNX export is needed",
      1,
    ],
    [
      "a model that is a file",
      ["publish", "key.pem", "--model", "x", "--version", "1", "--unsigned"],
      "is a file, and a model is a folder; an ONNX export is needed",
      1,
    ],
    ["two stores", ["list", "--unsigned", "--dir", "x"], "--dir names the local store"],
    ["a store that is a file", ["list", "--unsigned", "--store", "file:key.pem"], "key.pem is a file", 1],
    [
      "a stage on which nothing is promoted",
      ["deploy", "staging", "--dry-run", "--unsigned"],
      "nothing is promoted on staging",
      1,
    ],
    [
      "a mistyped channel",
      ["promote", "tiny@1.0.0", "--channel", "prodction", "--unsigned"],
      "there is no channel prodction",
    ],
    ["no name of a channel", ["rollback", "tiny", "--channel", "../x", "--unsigned"], "no name of a channel"],
    ["a mistyped option", ["gc", "--dryrun", "--unsigned"], "unknown option --dryrun (did you mean --dry-run?)"],
    ["an argument too many", ["rollback", "tiny", "prod", "--channel", "x", "--unsigned"], "unexpected argument prod"],
  ])("say what to do with %s", async (_, args, message, wanted = 2) => {
    const withStore = args.includes("--store") ? args : [...args, "--store", store];
    const { status, stderr, stdout } = await fovea(withStore);
    expect(status).toBe(wanted);
    expect(stderr).toContain(message);
    expect(
      stderr
        .trim()
        .replace(/\nSee: fovea .* --help$/, "")
        .split("\n").length,
    ).toBe(1);
    expect(stdout).toBe("");
    expect(JSON.parse((await fovea([...withStore, "--json"])).stdout)).toHaveProperty("error.message");
  });

  it("look for the local store in --dir, else in FOVEA_DIR", async () => {
    expect((await fovea(["list", "--dir", "elsewhere"])).stderr).toContain("nothing runs in elsewhere");
    const env = { ...process.env, FOVEA_DIR: "there" };
    expect((await fovea(["list"], env)).stderr).toContain("nothing runs in there");
  });
});
