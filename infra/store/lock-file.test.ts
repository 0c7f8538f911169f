import type * as Fs from "node:fs/promises";
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withLock } from "./lock-file.ts";

/** What another process does in the moment before this one removes, or creates, a file; once. */
const meanwhile: { rm: (() => Promise<void>) | null; writeFile: (() => Promise<void>) | null } = vi.hoisted(() => ({
  rm: null,
  writeFile: null,
}));

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof Fs>();
  const after =
    <A extends unknown[], R>(name: "rm" | "writeFile", call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const first = meanwhile[name];
      meanwhile[name] = null;
      await first?.();
      return call(...args);
    };
  return { ...fs, rm: after("rm", fs.rm), writeFile: after("writeFile", fs.writeFile) };
});

let folder: string;
let lock: string;
let inside = 0;
let most = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-lock-"));
  lock = join(folder, "a.lock");
  await writeFile(lock, "1");
  await utimes(lock, new Date(0), new Date(0));
  [inside, most] = [0, 0];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Holds the lock until `end` is called; `began` tells whether it has it. */
function hold(): { began: Promise<boolean>; end: () => void; done: Promise<unknown> } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  let done: Promise<unknown> = ended;
  const began = new Promise<boolean>((resolve) => {
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      resolve(true);
      await ended;
      inside -= 1;
    };
    done = withLock(lock, work).catch(() => resolve(false));
  });
  return { began, end, done };
}

describe("withLock", () => {
  it.each(["rm", "writeFile"] as const)("gives a stale lock to one of two, who meet before %s", async (call) => {
    let other: ReturnType<typeof hold> | undefined;
    meanwhile[call] = async () => {
      other = hold();
      await other.began;
    };
    const one = hold();
    const [first, second] = [await one.began, await other?.began];
    expect([first, second].filter(Boolean).length).toBe(1);
    expect(most).toBe(1);
    for (const holder of [one, other]) {
      holder?.end();
      await holder?.done;
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("takes over from a process that died while it took over", async () => {
    const { ino, mtimeNs } = await stat(lock, { bigint: true });
    const taking = `${lock}.${ino}-${mtimeNs}`;
    await writeFile(taking, "1");
    await expect(withLock(lock, () => Promise.resolve())).rejects.toThrow("another writer");
    await utimes(taking, new Date(0), new Date(0));
    await withLock(lock, () => Promise.resolve());
    expect(await readdir(folder)).toEqual([]);
  });
});
