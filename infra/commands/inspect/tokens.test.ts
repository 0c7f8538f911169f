import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "citty";
import { afterEach, describe, expect, it, vi } from "vitest";
import { tinyTokenizer } from "../../../shared/tokenizer/tiny-tokenizer.ts";
import { inspectTokens } from "./tokens.ts";

const folder = mkdtempSync(join(tmpdir(), "fovea-tokens-"));
const tokenizer = join(folder, "tokenizer.json");
writeFileSync(tokenizer, JSON.stringify(tinyTokenizer()));

/** Runs the command and gives what it printed. */
async function run(...rawArgs: string[]): Promise<string> {
  let printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  await runCommand(inspectTokens, { rawArgs: ["--tokenizer", tokenizer, ...rawArgs] });
  return printed;
}

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

describe("fovea inspect tokens", () => {
  it("answers each line, and goes on after a broken one", async () => {
    const file = join(folder, "texts.jsonl");
    writeFileSync(file, ['{"text":"hello"}', "not json", '{"tex":1}', '{"text":"\\ud800<|im_end|>"}', ""].join("\n"));
    const lines = (await run("--in", file, "--json"))
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toEqual([
      { ids: [259], decoded: "hello" },
      { error: "is not JSON", line: 2 },
      { error: 'is not {"text": string}', line: 3 },
      { ids: [239, 191, 189, 262], decoded: "\ufffd<|im_end|>" },
    ]);
    expect(process.exitCode).toBe(1);
    rmSync(file);
  });

  it("says which option names no file, and what is wrong with it", async () => {
    await expect(run("--tokenizer", folder, "--text", "x")).rejects.toThrow(
      `--tokenizer takes a file, and ${folder} is a folder`,
    );
    await expect(run("--in", folder)).rejects.toThrow(`--in takes a file, and ${folder} is a folder`);
    await expect(run("--in", join(folder, "absent"))).rejects.toThrow("cannot be read");
  });

  it("shows the pieces of one text", async () => {
    expect(await run("--text", "hello w\u0007")).toBe("hello|Ġw|ć\n259 260 7\n3 tokens\n");
    expect(JSON.parse(await run("--text", "hello", "--json"))).toEqual({ ids: [259], decoded: "hello" });
  });
});
