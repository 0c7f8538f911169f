import { InferenceSession, listSupportedBackends } from "onnxruntime-node";
import { chooseProvider, type Provider, type ProviderChoice, type ProviderWish } from "./providers.ts";

export interface SessionSettings {
  readonly provider: ProviderWish;
  /** Threads of one run; 0 takes as many as there are cores. */
  readonly threads: number;
}

/** Sessions that all run on one provider, chosen when the first is created. */
export class Sessions {
  readonly #settings: SessionSettings;
  readonly #failures = new Map<Provider, string>();

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  get choice(): ProviderChoice {
    const offered = new Set<string>(listSupportedBackends().map(({ name }) => name));
    return chooseProvider(this.#settings.provider, offered, this.#failures);
  }

  /**
   * Creates a session. A provider that is built in but finds no device fails only here; it is then struck off, and with `auto`
   * the next best one is taken.
   * @throws ProviderError where the one that was asked for by name cannot be had
   */
  async create(path: string, threads = this.#settings.threads): Promise<InferenceSession> {
    const { provider } = this.choice;
    try {
      return await InferenceSession.create(path, {
        executionProviders: [provider],
        intraOpNumThreads: threads,
        graphOptimizationLevel: "all",
        // Warnings of the graph optimizer are of no use to an operator; errors are thrown.
        logSeverityLevel: 3,
      });
    } catch (error) {
      if (provider === "cpu") throw error;
      const message = error instanceof Error ? error.message : String(error);
      this.#failures.set(provider, `it could not start (${firstLine(message)})`);
      return this.create(path, threads);
    }
  }
}

/** The gist of a runtime's message; paths stay out, since the reason is shown in /readyz. */
function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").replaceAll(/\S*\/\S*\s*/g, "").slice(0, 200);
}
