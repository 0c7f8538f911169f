import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../paths.ts";
import { untilAborted } from "../process/until-aborted.ts";

/** How long the origin may take to load the first time; a cold disk and a large release included. */
const READY_MS = 120_000;

/** How long it may finish streams in flight after SIGTERM before it is killed. */
const DRAIN_MS = 10_000;

export interface OriginProcess {
  readonly port: number;
  /** Settles when it ends by itself, with what it last said. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts the origin (functions/origin) as a process of its own, as in production. A signal that aborts ends the start.
 * @throws Error with its last words when it does not get ready
 */
export async function startOrigin(env: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<OriginProcess> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", path.join(ROOT, "functions/origin/main.ts")],
    {
      cwd: ROOT,
      env: { ...process.env, ...env, FOVEA_END_WITH_STDIN: "true" },
      // Its standard input ends when this process does, however that happens.
      stdio: ["pipe", "pipe", "pipe"],
      // Not in the terminal's group: Ctrl-C reaches it through `stop`, in order.
      detached: true,
    },
  );
  let tail = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (tail = (tail + text).slice(-4000)));
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`${signal ?? `exit code ${code}`}\n${tail}`));
  });
  const late = setTimeout(() => void stop(child), READY_MS);
  const failed = ended.then((words) => {
    throw new Error(`The origin did not start (it has ${READY_MS / 1000} s):\n${words}`);
  });
  try {
    const port = await untilAborted(Promise.race([listening(child), failed]), signal);
    return { port, ended, stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** The origin prints one JSON line when it is ready: `{"event":"listening","port":N}`. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const port = /"event":"listening".*"port":(\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), DRAIN_MS);
  await gone;
  clearTimeout(kill);
}
