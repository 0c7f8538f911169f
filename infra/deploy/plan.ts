/**
 * What a code deploy does, as a list of steps. Pure: nothing here talks to Cloudflare, so the list can be printed and
 * tested. `<...>` in an argument is a value that an earlier step gives.
 *
 * The encoder goes first and all the way, the edge second: the edge reaches the encoder by RPC, which version overrides do
 * not reach, so a new encoder is proven under the edge that serves, and must understand the calls of both.
 */

import { quote } from "../quote.ts";

export type Stage = "staging" | "production";
export type Worker = "encoder" | "edge";

export type Step =
  /** Runs wrangler; `saves` is the name under which the version id that it made is known from then on. */
  | { readonly kind: "wrangler"; readonly worker: Worker; readonly args: readonly string[]; readonly saves?: string }
  /** The new edge alone, by override; the version id in the answer must be the new one, or it was the old one that answered. */
  | { readonly kind: "smoke"; readonly override: string; readonly version: string }
  /** Lets traffic go over the new split. */
  | { readonly kind: "wait"; readonly seconds: number }
  /** Asks about a picture as a client does, so often that the new version is met. */
  | { readonly kind: "probe"; readonly requests: number };

export interface DeployOptions {
  readonly stage: Stage;
  /** Where the edge's rollout stops: 100, or less to look at it for a while. */
  readonly percent: number;
  /** Names the version; the commit. */
  readonly tag: string;
  /** `RELEASE_FLOORS` of the edge. */
  readonly floors: string;
  /** The version that serves now, per Worker; null when it was never deployed. */
  readonly current: Readonly<Record<Worker, string | null>>;
  readonly waitSeconds: number;
}

/** Shares of the traffic, one after the other. */
const LADDER = [10, 50, 100];
/** A version at 10 % is missed by all of 40 requests once in 70 times; by then it has 50 %. */
const PROBES = 40;

const CONFIGS: Readonly<Record<Worker, string>> = {
  edge: "wrangler.toml",
  encoder: "functions/encoder/wrangler.toml",
};

export function planDeploy(options: DeployOptions): readonly Step[] {
  const { percent, waitSeconds } = options;
  const { edge, encoder } = options.current;
  if (edge === null || encoder === null) return planFirstDeploy(options);
  const roll = (worker: Worker, old: string, share: number): readonly Step[] => [
    split(options.stage, worker, old, share),
    { kind: "wait", seconds: waitSeconds },
    { kind: "probe", requests: PROBES },
  ];
  const edgeName = `fovea-edge-${options.stage}`;
  return [
    upload(options, "encoder"),
    ...LADDER.flatMap((share) => roll("encoder", encoder, share)),
    upload(options, "edge"),
    // An override reaches only versions of the current deployment, so the new one joins it without traffic.
    split(options.stage, "edge", edge, 0),
    { kind: "smoke", override: `${edgeName}="<new edge>"`, version: "<new edge>" },
    ...LADDER.filter((share) => share < percent)
      .concat(percent)
      .flatMap((share) => roll("edge", edge, share)),
  ];
}

/** Back to what served before, the edge first: the encoder that is taken away last serves both. */
export function planRollback(stage: Stage, old: Readonly<Partial<Record<Worker, string>>>): readonly Step[] {
  const back = (worker: Worker): readonly Step[] => {
    const version = old[worker];
    if (version === undefined) return [];
    const message = "fovea deploy: rollback";
    return [wrangler(stage, worker, ["versions", "deploy", `${version}@100%`, "--message", message, "--yes"])];
  };
  return [...back("edge"), ...back("encoder")];
}

/** `versions upload` wants a Worker that exists. There is no traffic yet that a split could protect. */
function planFirstDeploy({ stage, floors }: DeployOptions): readonly Step[] {
  return [
    wrangler(stage, "encoder", ["deploy"]),
    wrangler(stage, "edge", ["deploy", "--var", `RELEASE_FLOORS:${floors}`]),
    { kind: "probe", requests: 1 },
  ];
}

function upload({ stage, tag, floors }: DeployOptions, worker: Worker): Step {
  const floor = worker === "edge" ? ["--var", `RELEASE_FLOORS:${floors}`] : [];
  return { ...wrangler(stage, worker, ["versions", "upload", "--tag", tag, ...floor]), saves: `<new ${worker}>` };
}

function split(stage: Stage, worker: Worker, old: string, share: number): Step {
  const versions = share === 100 ? [`<new ${worker}>@100%`] : [`<new ${worker}>@${share}%`, `${old}@${100 - share}%`];
  return wrangler(stage, worker, ["versions", "deploy", ...versions, "--yes"]);
}

/** `-c` and `--env` always: a wrangler.json in a parent folder would win, and environments inherit nothing. */
function wrangler(stage: Stage, worker: Worker, args: readonly string[]): Step & { readonly kind: "wrangler" } {
  return { kind: "wrangler", worker, args: [...args, "-c", CONFIGS[worker], "--env", stage] };
}

/** One line per step, as `--dry-run` prints it and as a shell would run it. */
export function formatStep(step: Step): string {
  if (step.kind === "wrangler") return `wrangler ${step.args.map(quote).join(" ")}`;
  if (step.kind === "wait") return `wait ${step.seconds} s`;
  if (step.kind === "probe") return `ask about a picture, ${step.requests} times; each must be answered`;
  const header = `Cloudflare-Workers-Version-Overrides: ${step.override}`;
  return `GET /healthz with ${header}; the answer must name ${step.version}`;
}
