import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { BUILTIN_DIR } from "./local/builtin.ts";
import { ROOT } from "./paths.ts";

it.each([
  ["one line", ["--help"], ""],
  [
    "lines without end",
    ["inspect", "tokens", "--tokenizer", path.join(BUILTIN_DIR, "tokenizer.json"), "--in", "-"],
    `${JSON.stringify({ text: "hello" })}\n`.repeat(20_000),
  ],
])("a command that prints %s ends quietly when nobody reads it", async (_, args, input) => {
  const child = spawn(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    path.join(ROOT, "infra/cli.ts"),
    ...args,
  ]);
  child.stdout.destroy();
  child.stdin.on("error", () => undefined);
  Readable.from([input]).pipe(child.stdin);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [status] = (await once(child, "close")) as [number | null];
  expect([status, said]).toEqual([0, ""]);
});
