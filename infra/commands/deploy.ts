import { spawnSync } from "node:child_process";
import { defineCommand } from "citty";
import { unstable_readConfig } from "wrangler";
import * as z from "zod";
import { formatFloors } from "../../shared/releases/floors.ts";
import { cloudflareTools, currentVersion, runWrangler } from "../deploy/cloudflare.ts";
import { formatStep, planDeploy, type Stage, type Step } from "../deploy/plan.ts";
import { runDeploy } from "../deploy/run-deploy.ts";
import { ROOT, WORKER_CONFIGS } from "../paths.ts";
import { namedStoreArgs } from "../releases/cli/args.ts";
import { UnavailableError, UsageError, wholeNumber } from "../usage.ts";
import { readTrust } from "../releases/cli/keys.ts";
import { readInventory } from "../releases/inventory.ts";
import { openStore } from "../store/open-store.ts";

/** The whole of what is known before the first step, without asking Cloudflare. */
const PLACEHOLDERS = { edge: "<current edge>", encoder: "<current encoder>" };

export default defineCommand({
  meta: { name: "deploy", description: "Roll out both Workers: upload, smoke test, 10, 50, 100 %" },
  args: {
    stage: { type: "positional", required: true, description: "staging or production" },
    percent: { type: "string", default: "100", valueHint: "10", description: "Where the edge's rollout stops" },
    wait: { type: "string", default: "60", valueHint: "seconds", description: "How long each share is watched" },
    "dry-run": { type: "boolean", description: "Print each step, run none" },
    first: { type: "boolean", description: "With --dry-run: the steps of the first deploy ever" },
    rollback: { type: "boolean", description: "Back to the versions that served before, edge first" },
    url: {
      type: "string",
      valueHint: "https://...",
      description: "Where the stage answers (default: its route in wrangler.toml)",
    },
    model: { type: "string", default: "moji-vlm-9m", description: "Model that the probes ask" },
    ...namedStoreArgs,
    store: {
      ...namedStoreArgs.store,
      description: "Store of the stage; what its channel has reached is the floor of this version (default: no floor)",
    },
    unsigned: { ...namedStoreArgs.unsigned, description: "Read the store's channel without a signature" },
  },
  async run({ args }) {
    const stage = parseStage(args.stage);
    if (args.rollback === true) return rollback(stage, args["dry-run"] === true, args.json === true);
    const options = {
      stage,
      percent: wholeNumber("percent", args.percent, 1, 100),
      waitSeconds: wholeNumber("wait", args.wait, 0, 3600),
      tag: commit(),
      floors: await readFloors(stage, args),
    };
    if (args["dry-run"] === true) {
      const current = args.first === true ? { edge: null, encoder: null } : PLACEHOLDERS;
      const steps = planDeploy({ ...options, current });
      printSteps(steps, args.json === true);
      return undefined;
    }
    const apiKey = process.env["FOVEA_API_KEY"];
    if (apiKey === undefined) throw new UsageError("the probes need a key of the stage: set FOVEA_API_KEY");
    const current = {
      edge: await currentVersion(stage, "edge"),
      encoder: await currentVersion(stage, "encoder"),
    };
    const log = (line: string) => console.error(line);
    const tools = cloudflareTools({ url: args.url ?? urlOf(stage), apiKey, model: args.model, log });
    const made = await runDeploy(planDeploy({ ...options, current }), { stage, current }, tools);
    const deployed = Object.fromEntries(made);
    console.log(
      args.json === true
        ? JSON.stringify({ stage, percent: options.percent, deployed })
        : `${stage} is at ${options.percent} %`,
    );
    return undefined;
  },
});

const routesSchema = z.object({ routes: z.array(z.object({ pattern: z.string() })).min(1) });

function parseStage(text: string): Stage {
  if (text === "staging" || text === "production") return text;
  throw new UsageError(`there is no stage ${text}: staging or production`);
}

function printSteps(steps: readonly Step[], json: boolean): void {
  console.log(json ? JSON.stringify(steps, null, 2) : steps.map(formatStep).join("\n"));
}

/** wrangler itself knows which version had all the traffic before. */
async function rollback(stage: Stage, dryRun: boolean, json: boolean): Promise<void> {
  const message = ["--message", "fovea deploy --rollback"];
  const steps = (["edge", "encoder"] as const).map((worker) => {
    const args = ["rollback", "--yes", ...message, "-c", WORKER_CONFIGS[worker], "--env", stage];
    return { kind: "wrangler" as const, worker, args };
  });
  if (dryRun) return printSteps(steps, json);
  for (const { args } of steps) await runWrangler(args);
  console.log(json ? JSON.stringify({ stage, rolledBack: true }) : `${stage} is back at what served before`);
}

/** How far each channel has come, for the floor of the new version. Needs a store; a deploy without one leaves no floor. */
async function readFloors(
  stage: Stage,
  args: {
    readonly store?: string | undefined;
    readonly endpoint?: string | undefined;
    readonly trust?: string | undefined;
    readonly unsigned?: boolean | undefined;
  },
): Promise<string> {
  if (args.store === undefined) {
    console.error(
      "warning: no --store, so this version has no floor and a cold start accepts any signed channel document",
    );
    return "{}";
  }
  const { endpoint } = args;
  const store = await openStore(args.store, { create: false, ...(endpoint === undefined ? {} : { endpoint }) });
  try {
    const { channels, broken } = await readInventory(store, await readTrust(args, process.env));
    const first = broken.find(({ key }) => key.startsWith(`channels/${stage}/`));
    if (first !== undefined) throw new UnavailableError(`${first.key} cannot be used: ${first.detail}`);
    const reached = channels.filter(({ channel }) => channel === stage);
    if (reached.length > 0) return formatFloors(reached);
    throw new UnavailableError(
      `nothing is promoted on ${stage} in ${store.url}, so there is no floor to keep: promote a release first, name ` +
        "another --store, or leave it out to deploy without a floor",
    );
  } finally {
    store.close();
  }
}

function commit(): string {
  const { stdout, status } = spawnSync("git", ["rev-parse", "--short=12", "HEAD"], { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new UnavailableError("a deploy is named by its commit, and this is no git checkout");
  return stdout.trim();
}

function urlOf(stage: Stage): string {
  const config: unknown = unstable_readConfig({ config: WORKER_CONFIGS.edge, env: stage });
  const pattern = routesSchema.safeParse(config).data?.routes[0]?.pattern;
  if (pattern === undefined) throw new UsageError(`wrangler.toml names no route for ${stage}: give --url`);
  return `https://${pattern.replace(/\/.*$/, "")}`;
}
