import { Worker } from "node:worker_threads";
import { FoveaError } from "../../../shared/errors/error.ts";
import { grammarKey, type AnswerGrammar } from "./answer-grammar.ts";

/** How long a grammar may compile; most take some milliseconds, one with bounded strings over 50,000 tokens half a second. */
const COMPILE_MS = 5_000;
const START_MS = 30_000;

export interface GrammarCheckerData {
  /** Path of the release's `tokenizer.bin`. */
  readonly tokenizer: string;
  readonly vocabSize: number;
  readonly stopTokenIds: readonly number[];
}

/**
 * Compiles each new grammar in a thread that can be ended, before the engine's thread does: one that compiles for ever, or
 * breaks the library, costs its sender an error and nobody else a token.
 */
export class GrammarChecker {
  readonly #data: GrammarCheckerData;
  readonly #good = new Set<string>();
  #worker: Worker | null = null;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(data: GrammarCheckerData) {
    this.#data = data;
  }

  /** @throws FoveaError `invalid_request`; `release_unavailable` after `close` */
  async check(grammar: AnswerGrammar): Promise<void> {
    const key = grammarKey(grammar);
    if (this.#good.has(key)) return;
    // One after the other: the thread compiles one at a time, and each has the whole time for itself.
    const turn = this.#last.then(() => this.#compile(grammar));
    this.#last = turn.catch(() => undefined);
    if (!(await turn)) {
      throw new FoveaError("invalid_request", "The JSON schema cannot be followed: it is not valid or too complex.", {
        param: paramOf(grammar),
      });
    }
    if (this.#good.size >= MAX_KNOWN) this.#good.clear();
    this.#good.add(key);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  async #compile(grammar: AnswerGrammar): Promise<boolean> {
    if (this.#closed) throw gone();
    const worker = this.#worker ?? (await this.#start());
    worker.postMessage(grammar, []);
    const good = (await answer(worker, COMPILE_MS)) === true;
    // After an abort inside the library its heap is not to be trusted, and a thread that hangs never answers again.
    if (!good) await this.#end();
    if (this.#closed) throw gone();
    return good;
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

/** The field of the API's request that a grammar comes from. */
export function paramOf({ kind }: AnswerGrammar): string {
  return kind === "json_schema" ? "response_format" : "tools";
}

/** Grammars that are remembered as good; each is 64 KiB at most. */
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
