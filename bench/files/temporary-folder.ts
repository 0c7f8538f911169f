import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const folders = new Set<string>();

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/** A new folder that is gone when the process ends, by Ctrl-C as well: benches write gigabytes. */
export async function temporaryFolder(name: string): Promise<string> {
  if (folders.size === 0) {
    process.once("exit", removeAll);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  }
  const folder = await mkdtemp(path.join(tmpdir(), `fovea-bench-${name}-`));
  folders.add(folder);
  return folder;
}

/** Ends by the signal itself: on the way out of `process.exit` a session of onnxruntime in another thread aborts the process. */
function stop(signal: "SIGINT" | "SIGTERM"): void {
  removeAll();
  process.kill(process.pid, signal);
}
