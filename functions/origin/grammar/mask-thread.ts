import { Worker } from "node:worker_threads";
import type { AnswerGrammar } from "./answer-grammar.ts";
import type { FromMasks, ToMasks } from "./mask-messages.ts";
import { GrammarProcessor, type Mask } from "./processor.ts";
import type { GrammarThreadData } from "./thread-data.ts";

interface Waiting {
  readonly resolve: (mask: Mask) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Makes token masks in a thread of its own: a grammar may take a second to compile, and no stream of the engine waits for that
 * but those that are held to grammars. Started by the first, and again after one that broke it.
 */
export class MaskThread {
  readonly #data: GrammarThreadData;
  #worker: Worker | null = null;
  #ids = 0;
  /** One mask at a time is asked for each answer. */
  readonly #waiting = new Map<number, Waiting>();

  constructor(data: GrammarThreadData) {
    this.#data = data;
  }

  get running(): boolean {
    return this.#worker !== null;
  }

  /** A mask that follows one answer; its first is there. @throws Error when the grammar cannot be followed */
  async open(grammar: AnswerGrammar): Promise<GrammarProcessor> {
    const id = this.#ids++;
    const worker = this.#worker ?? this.#start();
    const ask = (message: ToMasks): Promise<Mask> =>
      new Promise((resolve, reject) => {
        if (this.#worker !== worker) return reject(new Error("The thread that followed the grammar ended."));
        this.#waiting.set(id, { resolve, reject });
        worker.postMessage(message, []);
      });
    const first = await ask({ type: "open", id, grammar });
    return new GrammarProcessor(first, {
      stopTokenIds: this.#data.stopTokenIds,
      accept: (token) => ask({ type: "accept", id, token }),
      close: () => {
        this.#waiting.delete(id);
        if (this.#worker === worker) worker.postMessage({ type: "close", id } satisfies ToMasks, []);
      },
    });
  }

  /** Ends the thread: it would keep the engine's alive. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const url = new URL("./mask-worker.ts", import.meta.url);
    const worker = new Worker(url, { workerData: this.#data, env: {}, stderr: true, stdout: true });
    worker.unref();
    worker.on("message", ({ id, mask }: FromMasks) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (mask === undefined) waiting?.reject(new Error("The answer could not be held to its grammar."));
      else waiting?.resolve(mask);
    });
    worker.on("error", () => this.#ended(worker));
    worker.on("exit", () => this.#ended(worker));
    this.#worker = worker;
    return worker;
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error("The thread that followed the grammar ended."));
  }
}
