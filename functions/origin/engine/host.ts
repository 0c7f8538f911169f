import { Worker } from "node:worker_threads";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { ProviderChoice } from "../backbones/providers.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import type { EngineReport, EngineThreadData, FromEngine, ToEngine } from "./messages.ts";
import type { AnswerGrammar } from "../grammar/answer-grammar.ts";
import { GrammarChecker, paramOf, type Caller } from "../grammar/grammar-checker.ts";
import type { EngineEvent, GenerateRequest } from "./request.ts";

/** How long a start may take; large weights are read from disk. */
const START_TIMEOUT_MS = 600_000;

/** How long a report may take: one step of the engine, and a margin. */
const REPORT_TIMEOUT_MS = 2_000;

export type Listener = (event: EngineEvent) => void;

/** The engine as the other threads see it: requests in, events out. */
export class EngineHost {
  readonly spec: BackboneSpec;
  readonly provider: ProviderChoice;
  readonly maxSequences: number;
  readonly longest: readonly number[];
  readonly #worker: Worker;
  readonly #grammars: GrammarChecker | null;
  readonly #listeners = new Map<string, Listener>();
  #reports: ((report: EngineReport) => void)[] = [];
  #lastReport: EngineReport | null = null;
  #failure: Error | null = null;
  /** Settles when the thread has ended, by `close` or by itself. */
  readonly stopped: Promise<void>;

  /** Starts the thread and waits until the model is loaded. @throws Error when it cannot be */
  static async start(data: EngineThreadData): Promise<EngineHost> {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: data,
      // Only what the thread needs: settings travel as data, keys stay here.
      env: {},
    });
    const ready = await firstMessage(worker);
    return new EngineHost(worker, ready, data);
  }

  private constructor(worker: Worker, ready: FromEngine & { readonly type: "ready" }, data: EngineThreadData) {
    this.#worker = worker;
    this.spec = ready.spec;
    this.provider = ready.provider;
    this.maxSequences = data.settings.maxSequences;
    this.longest = ready.longest;
    const { vocabSize, eosTokenIds } = ready.spec;
    const { tokenizer } = data;
    this.#grammars =
      tokenizer === null ? null : new GrammarChecker({ tokenizer, vocabSize, stopTokenIds: eosTokenIds });
    worker.on("message", (message: FromEngine) => this.#receive(message));
    worker.on("error", (error) => this.#broke(error instanceof Error ? error : new Error(String(error))));
    this.stopped = new Promise((resolve) => {
      worker.on("exit", () => {
        this.#broke(new Error("The engine's thread ended."));
        resolve();
      });
    });
  }

  /** Why the engine can serve no more; null while it can. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** Requests that were submitted and have not ended. */
  get active(): number {
    return this.#listeners.size;
  }

  submit(request: GenerateRequest, listener: Listener): void {
    if (this.#failure !== null) {
      listener({ type: "error", id: request.id, code: "origin_failed", message: "The engine is not running." });
      return;
    }
    this.#listeners.set(request.id, listener);
    this.#send({ type: "submit", request });
  }

  /**
   * Whether answers can follow a grammar.
   * @throws FoveaError `invalid_request` when it is not valid, or the release has no tokenizer here; `rate_limit_exceeded`
   */
  async checkGrammar(grammar: AnswerGrammar, caller: Caller): Promise<void> {
    if (this.#grammars !== null) return this.#grammars.check(grammar, caller);
    // Said aloud: an answer that merely ignores the schema looks right until it is parsed.
    throw new FoveaError("invalid_request", "This release cannot hold an answer to a JSON schema.", {
      param: paramOf(grammar),
    });
  }

  /** Ends a request; its listener hears nothing more. */
  cancel(id: string): void {
    if (this.#listeners.delete(id)) this.#send({ type: "cancel", id });
  }

  /** The engine's numbers, at most one step old; the last known ones when it is busy for longer. */
  async report(): Promise<EngineReport | null> {
    if (this.#failure !== null) return this.#lastReport;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(this.#lastReport), REPORT_TIMEOUT_MS);
      this.#reports.push((report) => {
        clearTimeout(timer);
        resolve(report);
      });
      this.#send({ type: "report" });
    });
  }

  async close(): Promise<void> {
    await this.#grammars?.close();
    this.#send({ type: "close" });
    await this.stopped;
  }

  #send(message: ToEngine): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    this.#worker.postMessage(message);
  }

  #receive(message: FromEngine): void {
    if (message.type === "report") {
      this.#lastReport = message.report;
      const waiting = this.#reports;
      this.#reports = [];
      for (const resolve of waiting) resolve(message.report);
    } else if (message.type === "events") {
      for (const event of message.events) {
        const listener = this.#listeners.get(event.id);
        if (event.type === "end" || event.type === "error") this.#listeners.delete(event.id);
        listener?.(event);
      }
    }
  }

  #broke(error: Error): void {
    this.#failure ??= error;
    void this.#grammars?.close();
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const [id, listener] of listeners) {
      listener({ type: "error", id, code: "origin_failed", message: "The engine stopped. Send the request again." });
    }
  }
}

async function firstMessage(worker: Worker): Promise<FromEngine & { readonly type: "ready" }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      void worker.terminate();
      reject(new Error("The engine did not start in time."));
    }, START_TIMEOUT_MS);
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      worker.off("error", fail);
      worker.off("exit", exited);
      finish();
    };
    const fail = (error: unknown): void =>
      settle(() => reject(error instanceof Error ? error : new Error(String(error))));
    const exited = (): void => settle(() => reject(new Error("The engine's thread ended while it started.")));
    worker.once("error", fail);
    worker.once("exit", exited);
    worker.once("message", (message: FromEngine) => {
      if (message.type === "ready") settle(() => resolve(message));
      else fail(new Error("The engine's thread spoke out of turn."));
    });
  });
}
