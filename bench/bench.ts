/** A table of results, as it is printed and as `--json` gives it. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** What the figures were taken on and how to read them. */
  readonly notes?: readonly string[];
  /** What is beyond its budget: the run then ends with 1. */
  readonly over?: readonly string[];
}

export interface BenchOptions {
  /** Words behind the name on the command line. */
  readonly args: readonly string[];
}

/** One bench: a file of this folder that exports it as `bench`. */
export interface Bench {
  readonly name: string;
  readonly title: string;
  /** What may stand behind the name, as `--help` shows it; nothing without. */
  readonly usage?: string;
  /** Each word that may; a bench with options of its own allows all and refuses what it does not know. */
  readonly allows?: RegExp;
  run(options: BenchOptions): Promise<Table>;
}
