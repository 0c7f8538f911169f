import { Worker } from "node:worker_threads";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { AnswerGrammar } from "./answer-grammar.ts";
import type { GrammarThreadData } from "./thread-data.ts";

/** How long a grammar may compile; most take some milliseconds, bounded strings over 50,000 tokens a second and more. */
const COMPILE_MS = 5_000;
const START_MS = 30_000;

/** What the thread says of a grammar. */
export interface Verdict {
  /** Why no answer can follow it, null when one can; undefined when the library broke on it. */
  readonly refusal: string | null | undefined;
}

/** The thread that compiles grammars to see whether they can be followed. Started by the first, and again after one that broke it. */
export class CheckThread {
  readonly #data: GrammarThreadData;
  #worker: Worker | null = null;
  #closed = false;

  constructor(data: GrammarThreadData) {
    this.#data = data;
  }

  /** Why a grammar cannot be followed; null when it can. One at a time. @throws FoveaError `release_unavailable` after `close` */
  async refusal(grammar: AnswerGrammar): Promise<string | null> {
    if (this.#closed) throw gone();
    const worker = this.#worker ?? (await this.#start());
    worker.postMessage(grammar, []);
    const verdict = (await answer(worker, COMPILE_MS)) as Verdict | undefined;
    // After an abort inside the library its heap is not to be trusted, and a thread that hangs never answers again.
    if (verdict?.refusal === undefined) await this.#end();
    if (this.#closed) throw gone();
    if (verdict === undefined)
      return "The JSON schema takes too long to compile. Bounded strings and lists take longest.";
    return verdict.refusal === undefined
      ? "The JSON schema cannot be followed: it is not valid, or too much for the grammar."
      : verdict.refusal;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  async #start(): Promise<Worker> {
    const url = new URL("./check-worker.ts", import.meta.url);
    const worker = new Worker(url, { workerData: this.#data, env: {}, stderr: true, stdout: true });
    worker.unref();
    // Known from its first moment, so that a close ends it while it starts.
    this.#worker = worker;
    if ((await answer(worker, START_MS)) === "ready") return worker;
    await this.#end();
    throw this.#closed ? gone() : new Error("The grammar checker did not start.");
  }
}

function gone(): FoveaError {
  return new FoveaError("release_unavailable", "The release is being let go.");
}

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
