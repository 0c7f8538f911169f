import { syncBuiltinESMExports } from "node:module";
import workers, { type WorkerOptions } from "node:worker_threads";

/**
 * Breaks the engine of an origin process that was started with `--import` of this file: at SIGUSR2 something throws in the
 * engine's thread, between two steps, where nobody catches it. Threads run this file too.
 */
const broken = new Int32Array(
  (workers.workerData as { readonly broken?: SharedArrayBuffer } | null)?.broken ?? new SharedArrayBuffer(4),
);

class BreakableWorker extends workers.Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    Atomics.store(broken, 0, 0);
    super(file, { ...options, workerData: { ...(options.workerData as object), broken: broken.buffer } });
  }
}

if (workers.isMainThread) {
  workers.Worker = BreakableWorker;
  process.on("SIGUSR2", () => Atomics.store(broken, 0, 1));
} else {
  const { receiveMessageOnPort } = workers;
  workers.receiveMessageOnPort = (port) => {
    if (Atomics.load(broken, 0) === 1) throw new Error("the engine's thread is broken");
    return receiveMessageOnPort(port);
  };
}
syncBuiltinESMExports();
