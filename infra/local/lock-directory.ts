import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { UnavailableError } from "../usage.ts";
import { readRunning } from "./running.ts";

/** Long against the two system calls between which another may take over the same lock. */
const SETTLE_MS = 100;

/**
 * Takes the folder of a local stack for this process; gives what lets go of it. The lock of a process that is gone is taken
 * over, and what it left in `local.json` removed.
 * @throws UnavailableError that names who has it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const file = path.join(directory, "lock");
  const id = randomUUID();
  const words = `${process.pid} ${id}\n`;
  // Written beside and linked or moved into place, so that nobody reads half a lock.
  const own = `${file}.${id}`;
  await writeFile(own, words);
  try {
    if (!(await linked(own, file))) {
      if (isAlive(await holderOf(file))) throw await inUse(file, directory);
      await rename(own, file);
      await delay(SETTLE_MS);
      if ((await read(file)) !== words) throw await inUse(file, directory);
    }
  } finally {
    await rm(own, { force: true });
  }
  await rm(path.join(directory, "local.json"), { force: true });
  return async () => {
    if ((await read(file)) === words) await rm(file, { force: true });
  };
}

async function linked(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

/** 0, which no process of ours is, for a lock that says nothing. */
async function holderOf(file: string): Promise<number> {
  return Number(/^[1-9]\d{0,9}(?= )/.exec(await read(file))?.[0] ?? 0);
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function inUse(file: string, directory: string): Promise<UnavailableError> {
  const [pid, running] = [await holderOf(file), await readRunning(directory)];
  const what = running === null ? "Another stack starts or stops in" : `${running.edge} runs from`;
  return new UnavailableError(
    `${what} ${directory} (process ${pid}). Use that one, stop it, or take another folder with --dir, and other ports ` +
      `with --port and --origin-port. If process ${pid} is something else, remove ${file}.`,
  );
}
