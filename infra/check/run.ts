import { spawn } from "node:child_process";
import path from "node:path";
import { ROOT } from "../paths.ts";
import { STEPS, type Step } from "./steps.ts";

/**
 * `npm run check`: every rule that needs no running test. Steps run two at a time; what fails prints its own words.
 * Names on the command line run those steps alone: `npm run check -- lint types`.
 */
export async function check(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !STEPS.some((step) => step.name === name));
  if (unknown !== undefined) {
    console.error(`No step is called ${unknown}. There are: ${STEPS.map((step) => step.name).join(", ")}`);
    return 1;
  }
  const queue = STEPS.filter(({ name }) => names.length === 0 || names.includes(name));
  let failed = 0;
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) if (!(await passes(step))) failed++;
  };
  await Promise.all([worker(), worker()]);
  console.log(failed === 0 ? "check: all passed" : `check: ${failed} failed`);
  return failed;
}

async function passes({ name, what, command }: Step): Promise<boolean> {
  const started = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${name.padEnd(10)} ${what} (${seconds} s)`);
  if (code !== 0) console.log(output);
  return code === 0;
}

function run([program = "", ...args]: readonly string[]): Promise<{ code: number; output: string }> {
  const bin = path.join(ROOT, "node_modules/.bin");
  const env = {
    ...process.env,
    PATH: `${bin}${path.delimiter}${process.env["PATH"] ?? ""}`,
    WRANGLER_SEND_METRICS: "false",
    NO_COLOR: "1",
  };
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

if (import.meta.main) process.exitCode = (await check(process.argv.slice(2))) === 0 ? 0 : 1;
