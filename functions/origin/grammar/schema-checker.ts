import { Worker } from "node:worker_threads";
import { FoveaError } from "../../../shared/errors/error.ts";

/** How long a schema may compile; usual ones take some milliseconds. */
const COMPILE_MS = 2_000;
const START_MS = 30_000;

export interface SchemaCheckerData {
  /** Path of the release's `tokenizer.bin`. */
  readonly tokenizer: string;
  readonly vocabSize: number;
  readonly stopTokenIds: readonly number[];
}

/**
 * Compiles each new schema in a thread that can be ended, before the engine's thread does: a schema that compiles for
 * ever, or breaks the library, costs its sender an error and nobody else a token.
 */
export class SchemaChecker {
  readonly #data: SchemaCheckerData;
  readonly #good = new Set<string>();
  #worker: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(data: SchemaCheckerData) {
    this.#data = data;
  }

  /** @throws FoveaError `invalid_request` */
  async check(schema: string): Promise<void> {
    if (this.#good.has(schema)) return;
    // One after the other: the thread compiles one at a time, and each has the whole time for itself.
    const turn = this.#last.then(() => this.#compile(schema));
    this.#last = turn.catch(() => undefined);
    if (!(await turn)) {
      throw new FoveaError("invalid_request", "The JSON schema cannot be followed: it is not valid or too complex.", {
        param: "response_format",
      });
    }
    if (this.#good.size >= MAX_KNOWN) this.#good.clear();
    this.#good.add(schema);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  async #compile(schema: string): Promise<boolean> {
    const worker = this.#worker ?? (await this.#start());
    worker.postMessage(schema, []);
    const good = (await answer(worker, COMPILE_MS)) === true;
    // After an abort inside the library its heap is not to be trusted, and a thread that hangs never answers again.
    if (!good) await this.close();
    return good;
  }

  async #start(): Promise<Worker> {
    const url = new URL("./check-worker.ts", import.meta.url);
    const worker = new Worker(url, { workerData: this.#data, env: {}, stderr: true, stdout: true });
    worker.unref();
    if ((await answer(worker, START_MS)) !== "ready") throw new Error("The schema checker did not start.");
    this.#worker = worker;
    return worker;
  }
}

/** Schemas that are remembered as good; each is 64 KiB at most. */
const MAX_KNOWN = 64;

/** The thread's next word; undefined when it ends or says nothing in time. */
function answer(worker: Worker, ms: number): Promise<unknown> {
  return new Promise((resolve) => {
    const settle = (value: unknown): void => {
      clearTimeout(timer);
      worker.off("message", settle);
      worker.off("error", fail);
      worker.off("exit", fail);
      resolve(value);
    };
    const fail = (): void => settle(undefined);
    const timer = setTimeout(fail, ms);
    worker.once("message", settle);
    worker.once("error", fail);
    worker.once("exit", fail);
  });
}
