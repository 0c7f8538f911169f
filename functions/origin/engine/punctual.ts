import type { Phase } from "./group.ts";

/** How long a step waits for masks; most are made in a tenth of a millisecond. */
const WAIT_MS = 20;

interface Preparing {
  readonly phase: Phase;
  /** Settles when the next token can be chosen. */
  prepare(): Promise<void>;
}

/**
 * Says who can choose a token in this step. A mask that takes long, as its thread compiles another grammar, costs the others one
 * short wait: its sequence sits steps out until the mask is there.
 */
export class Punctual<S extends Preparing> {
  /** Who was not ready in time at the last step. Nobody waits for them but each other. */
  #late = new Set<S>();

  /**
   * Of those that run, who decodes and is ready.
   * @param onBroken hears of a sequence that cannot go on
   */
  async of(running: readonly S[], onBroken: (sequence: S, error: unknown) => void): Promise<S[]> {
    const sequences = running.filter(({ phase }) => phase === "decode");
    const ready = new Set<S>();
    const prepare = async (sequence: S): Promise<void> => {
      try {
        await sequence.prepare();
        ready.add(sequence);
      } catch (error) {
        onBroken(sequence, error);
      }
    };
    const all = sequences.map((sequence) => ({ sequence, prepared: prepare(sequence) }));
    const punctual = all.filter(({ sequence }) => !this.#late.has(sequence));
    await within(
      WAIT_MS,
      (punctual.length > 0 ? punctual : all).map(({ prepared }) => prepared),
    );
    this.#late = new Set(sequences.filter((sequence) => !ready.has(sequence)));
    // One that broke takes the other choices of its request along.
    return sequences.filter((sequence) => ready.has(sequence) && sequence.phase === "decode");
  }
}

async function within(ms: number, all: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([Promise.all(all), late]);
  clearTimeout(timer);
}
