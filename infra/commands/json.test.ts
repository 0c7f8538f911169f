import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CommandDef } from "citty";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BUILTIN_DIR, BUILTIN_EXAMPLES } from "../local/builtin.ts";
import { ROOT } from "../paths.ts";

const PICTURE = path.join(BUILTIN_EXAMPLES, "02_what.jpg");
const CONFIG = path.join(BUILTIN_DIR, "preprocessor_config.json");
const TOKENIZER = path.join(BUILTIN_DIR, "tokenizer.json");
const STORE = ["--store", "file:store", "--unsigned"];
const NAMED = ["--model", "x", "--version", "1"];

/** A call of each command that takes --json, with its exit status; all but the last few fail, each in its own way. */
const CALLS: readonly (readonly [command: string, args: readonly string[], status: number])[] = [
  ["ask", ["What?", "--url", "http://127.0.0.1:9"], 1],
  ["deploy", ["nowhere", ...STORE], 2],
  ["diff", ["x@1", "x@2", ...STORE], 1],
  ["gc", ["--dryrun", ...STORE], 2],
  ["import", ["absent", ...STORE], 2],
  ["inspect features", ["x.jpg", "--model", "absent", "--out", "out"], 1],
  ["inspect pixels", ["x.jpg", "--processor", ".", "--out", "out"], 2],
  ["inspect tokens", ["--tokenizer", "absent", "--text", "x"], 2],
  ["list", ["--store", "file:absent", "--unsigned"], 1],
  ["plan", ["absent"], 2],
  ["promote", ["x@1", ...STORE], 2],
  ["publish", ["absent", ...NAMED, ...STORE], 1],
  ["publish", ["absent", ...NAMED, "--encoder", "nowhere", ...STORE], 2],
  ["rollback", ["x", "--channel", "staging", ...STORE], 1],
  ["verify", ["x@1", ...STORE], 1],
  ["inspect pixels", ["absent.jpg", PICTURE, "--processor", CONFIG, "--out", "out"], 1],
  ["inspect tokens", ["--tokenizer", TOKENIZER, "--text", "What is this?"], 0],
  ["deploy", ["production", "--dry-run"], 0],
  ["list", STORE, 0],
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-json-"));
  await mkdir(path.join(folder, "store"));
});
afterAll(() => rm(folder, { recursive: true }));

it.each(CALLS)("%s %j --json prints nothing but JSON, and what went wrong beside it", async (command, args, status) => {
  const argv = [path.join(ROOT, "infra/cli.ts"), ...command.split(" "), ...args, "--json"];
  const { code, stdout, stderr } = await new Promise<{ code: number | null; stdout: string; stderr: string }>(
    (resolve) => {
      const child = execFile(process.execPath, argv, { cwd: folder }, (_, out, err) =>
        resolve({ code: child.exitCode, stdout: out, stderr: err }),
      );
    },
  );
  expect([code, stderr]).toEqual([status, expect.any(String)]);
  const lines = command.startsWith("inspect") ? stdout.trim().split("\n") : [stdout];
  const values = lines.map((line) => JSON.parse(line) as { error?: { message: string } } | null);
  for (const { error } of values.map((value) => value ?? {})) if (error) expect(stderr).toContain(error.message);
  if (status === 2) expect(values[0]?.error?.message).toEqual(expect.any(String));
});

it("knows every command that takes --json", async () => {
  const found: string[] = [];
  for (const name of await readdir(import.meta.dirname)) {
    if (!/^[a-z]+(\.ts)?$/.test(name) || name === "ask") continue;
    const file = name.endsWith(".ts") ? name : `${name}/index.ts`;
    const { default: command } = (await import(path.join(import.meta.dirname, file))) as { default: CommandDef };
    const base = path.basename(name, ".ts");
    if (takesJson(command)) found.push(base);
    for (const [sub, inner] of Object.entries(command.subCommands ?? {})) {
      if (takesJson(inner as CommandDef)) found.push(`${base} ${sub}`);
    }
  }
  expect(new Set(CALLS.map(([command]) => command))).toEqual(new Set(found));
});

function takesJson({ args }: CommandDef): boolean {
  return typeof args === "object" && "json" in args;
}
