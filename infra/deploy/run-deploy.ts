import { planRollback, type Stage, type Step, type Worker } from "./plan.ts";

/** What a deploy needs of the world; tests give their own. */
export interface DeployTools {
  /** Runs wrangler and gives the version id that it made, if any. Throws when it fails. */
  wrangler(args: readonly string[]): Promise<{ readonly versionId: string | null }>;
  /** `/healthz` of the stage with a version override; the version id that answered. */
  health(override: string): Promise<string>;
  /** Asks about a picture once. Throws when it is not answered. */
  ask(): Promise<void>;
  wait(seconds: number): Promise<void>;
  log(line: string): void;
}

export class DeployError extends Error {
  override readonly name = "DeployError";
}

/** An override takes some seconds until it is known everywhere, and a missed one silently reaches the old version. */
const SMOKE_TRIES = 10;
const SMOKE_PAUSE_SECONDS = 3;

/**
 * Runs the steps. When one fails, every Worker whose traffic was changed goes back to the version that served before, and
 * the error is thrown that says why; when going back fails too, its message holds the commands to run by hand.
 */
export async function runDeploy(
  steps: readonly Step[],
  context: { readonly stage: Stage; readonly current: Readonly<Record<Worker, string | null>> },
  tools: DeployTools,
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const touched: Partial<Record<Worker, string>> = {};
  try {
    for (const step of steps) {
      const filled = fill(step, values);
      if (filled.kind === "wrangler" && filled.args.includes("deploy")) {
        const old = context.current[filled.worker];
        if (old !== null) touched[filled.worker] = old;
      }
      await runStep(filled, values, tools);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    tools.log(`failed: ${reason}`);
    await rollBack(context.stage, touched, tools, reason);
    throw new DeployError(`${reason}; what served before serves again`, { cause });
  }
  return values;
}

async function rollBack(
  stage: Stage,
  touched: Readonly<Partial<Record<Worker, string>>>,
  tools: DeployTools,
  reason: string,
): Promise<void> {
  const steps = planRollback(stage, touched);
  for (const [index, step] of steps.entries()) {
    if (step.kind !== "wrangler") continue;
    await tools.wrangler(step.args).catch((cause: unknown) => {
      const commands = steps
        .slice(index)
        .map((left) => (left.kind === "wrangler" ? `wrangler ${left.args.join(" ")}` : ""));
      throw new DeployError(`${reason}; and the rollback failed. Run by hand:\n${commands.join("\n")}`, { cause });
    });
  }
}

async function runStep(step: Step, values: Map<string, string>, tools: DeployTools): Promise<void> {
  switch (step.kind) {
    case "wrangler": {
      const { versionId } = await tools.wrangler(step.args);
      if (step.saves === undefined) return;
      if (versionId === null) throw new DeployError("wrangler named no version id");
      values.set(step.saves, versionId);
      return;
    }
    case "wait":
      await tools.wait(step.seconds);
      return;
    case "probe":
      for (let i = 0; i < step.requests; i += 1) await tools.ask();
      return;
    case "smoke":
      await smoke(step.override, step.version, tools);
  }
}

async function smoke(override: string, version: string, tools: DeployTools): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const answered = await tools.health(override);
    if (answered === version) return;
    if (attempt === SMOKE_TRIES)
      throw new DeployError(`the override was missed: version ${answered} answered, not ${version}`);
    await tools.wait(SMOKE_PAUSE_SECONDS);
  }
}

/** The step with every `<...>` that is known by now filled in. */
function fill(step: Step, values: ReadonlyMap<string, string>): Step {
  const replace = (text: string) => {
    let filled = text;
    for (const [name, value] of values) filled = filled.replaceAll(name, value);
    return filled;
  };
  if (step.kind === "wrangler") return { ...step, args: step.args.map(replace) };
  if (step.kind === "smoke") return { ...step, override: replace(step.override), version: replace(step.version) };
  return step;
}
