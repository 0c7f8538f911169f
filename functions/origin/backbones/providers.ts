/** Where a graph runs, in onnxruntime's names. */
export type Provider = "cpu" | "webgpu" | "cuda";

export const PROVIDERS: readonly Provider[] = ["cpu", "webgpu", "cuda"];

/** What may be missing, as words behind an error. */
const ADVICE: Readonly<Record<Provider, string>> = {
  cpu: "",
  webgpu: "",
  // Too large for the npm registry: its install script fetches them, and scripts do not run here (.npmrc).
  cuda: " CUDA's libraries come with `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --ignore-scripts=false`.",
};

export interface ProviderChoice {
  readonly provider: Provider;
  /** Why this one: shown at start and in /readyz. */
  readonly reason: string;
}

/** What the setting may say. `auto` takes the fastest that is there. */
export type ProviderWish = Provider | "auto";

/** A provider that was asked for by name and cannot be had. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
}

const FASTEST_FIRST: readonly Provider[] = ["cuda", "webgpu", "cpu"];

/**
 * Chooses a provider from what the runtime offers on this machine. Identity of tokens with the references is promised
 * for `cpu` alone, so `auto` is a wish for speed and has to be spoken. What is asked for by name is taken or refused: an origin that
 * quietly ran on its CPU would look well and answer at a tenth of the speed.
 * @param offered provider names that the runtime was built with
 * @param failures why a provider could not be used, where that was tried
 * @throws ProviderError
 */
export function chooseProvider(
  wish: ProviderWish,
  offered: ReadonlySet<string>,
  failures: ReadonlyMap<Provider, string> = new Map(),
): ProviderChoice {
  const missing = (provider: Provider): string | null =>
    failures.get(provider) ?? (offered.has(provider) ? null : `this build of onnxruntime has no ${provider}`);
  if (wish === "auto") {
    const fits = FASTEST_FIRST.find((provider) => missing(provider) === null) ?? "cpu";
    const skipped = FASTEST_FIRST.slice(0, FASTEST_FIRST.indexOf(fits)).map((one) => `${one}: ${missing(one) ?? ""}`);
    return { provider: fits, reason: ["fastest that is to be had", ...skipped].join("; ") };
  }
  const obstacle = missing(wish);
  if (obstacle === null) return { provider: wish, reason: "as set" };
  throw new ProviderError(`The provider ${wish} was set, but ${obstacle}. auto takes what there is.${ADVICE[wish]}`);
}
