import type { Trust } from "../../../shared/releases/dsse.ts";
import type { SigningKey } from "../../../shared/releases/ecdsa.ts";
import { failureStatus, printError } from "../../print-error.ts";
import { openStore } from "../../store/open-store.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import { UsageError } from "../../usage.ts";
import type { StoreArgs } from "./args.ts";
import { readSigningKey, readTrust } from "./keys.ts";
import { ProgressBar } from "./progress.ts";

export interface CommandTools {
  readonly store: ObjectStore;
  /** Asked for only by commands that check signatures; the others need no key. */
  readonly trust: () => Promise<Trust>;
  /** Asked for only by commands that sign. */
  readonly signingKey: () => Promise<SigningKey | null>;
  readonly progress: ProgressBar;
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** What `--json` prints. */
  readonly json: unknown;
  readonly text: string;
  readonly exitCode?: number;
}

export interface RunOptions {
  /** Whether a store folder that is not there yet is made; the commands that only read or point need one. */
  readonly create?: boolean;
}

/**
 * Runs a command on a store: opens it, prints what it gives, ends with the right exit code. An error is told as
 * `printError` does. Ctrl-C ends at the next safe point with 130; a second one ends at once.
 */
export async function runStoreCommand(
  args: StoreArgs,
  work: (tools: CommandTools) => Promise<Outcome>,
  { create = false }: RunOptions = {},
): Promise<void> {
  const json = args.json === true;
  const interrupted = new AbortController();
  const onInterrupt = () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(new Interrupted());
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  const progress = new ProgressBar(process.stderr, { quiet: json });
  let store: ObjectStore | null = null;
  try {
    const { endpoint, dir } = args;
    if (args.store !== undefined && dir !== undefined)
      throw new UsageError("--dir names the local store; --store another");
    store = await openStore(args.store, {
      create,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(dir === undefined ? {} : { dir }),
    });
    const trust = () => readTrust(args, process.env);
    const signingKey = () => readSigningKey(args, process.env);
    const outcome = await work({ store, trust, signingKey, progress, signal: interrupted.signal });
    progress.clear();
    process.stdout.write(`${json ? JSON.stringify(outcome.json, null, 2) : outcome.text}\n`);
    process.exitCode = outcome.exitCode ?? 0;
  } catch (thrown) {
    progress.clear();
    printError(thrown, json);
    process.exitCode = thrown instanceof Interrupted ? 130 : failureStatus(thrown);
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
    store?.close();
  }
}

class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor() {
    super("interrupted; run the same command again to go on where it stopped");
  }
}
