import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_WAITING_GRAMMARS } from "../../../shared/limits/limits.ts";
import { grammarHash, type AnswerGrammar } from "./answer-grammar.ts";
import { CheckThread } from "./check-thread.ts";
import { FairTurns } from "./fair-turns.ts";
import { SharedWork } from "./shared-work.ts";
import type { GrammarThreadData } from "./thread-data.ts";
import { Verdicts } from "./verdicts.ts";

/** Who asks. */
export interface Caller {
  readonly tenant: string;
  /** Aborts when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/**
 * Compiles each new grammar in a thread that can be ended, before the engine's thread does: one that compiles for ever, or
 * breaks the library, costs its sender an error and nobody else a token. One after the other, as each has the whole time for
 * itself, and the tenants in turn.
 */
export class GrammarChecker {
  readonly #thread: CheckThread;
  readonly #verdicts = new Verdicts();
  readonly #turns = new FairTurns(MAX_WAITING_GRAMMARS);
  /** By tenant and hash. */
  readonly #checking = new Map<string, SharedWork>();

  constructor(data: GrammarThreadData) {
    this.#thread = new CheckThread(data);
  }

  /**
   * @throws FoveaError `invalid_request`; `rate_limit_exceeded` for a tenant with too many new ones; `release_unavailable`
   * after `close`
   */
  async check(grammar: AnswerGrammar, { tenant, signal }: Caller): Promise<void> {
    const hash = grammarHash(grammar);
    if (this.#verdicts.get(hash) === undefined) await this.#checkNew(grammar, hash, tenant).join(signal);
    const refusal = this.#verdicts.get(hash);
    if (typeof refusal === "string") throw new FoveaError("invalid_request", refusal, { param: paramOf(grammar) });
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }

  #checkNew(grammar: AnswerGrammar, hash: string, tenant: string): SharedWork {
    const name = `${tenant} ${hash}`;
    const known = this.#checking.get(name);
    if (known !== undefined) return known;
    const work = async (): Promise<void> => {
      // Another tenant may have had its turn with the same one.
      if (this.#verdicts.get(hash) === undefined) this.#verdicts.set(hash, await this.#thread.refusal(grammar));
    };
    const forget = (): void => void this.#checking.delete(name);
    const checking = new SharedWork(
      (given) => this.#turns.take(tenant, work, given).finally(() => this.#checking.get(name) === checking && forget()),
      forget,
    );
    this.#checking.set(name, checking);
    return checking;
  }
}

/** The field of the API's request that a grammar comes from. */
export function paramOf({ kind }: AnswerGrammar): string {
  return kind === "json_schema" ? "response_format" : "tools";
}
