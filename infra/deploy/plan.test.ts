import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT, WRANGLER } from "../paths.ts";
import { formatStep, planDeploy, planRollback, type DeployOptions } from "./plan.ts";

const OLD = { edge: "11111111-1111-4111-8111-111111111111", encoder: "22222222-2222-4222-8222-222222222222" };
const options: DeployOptions = {
  stage: "production",
  percent: 100,
  tag: "0123abc",
  floors: '{"moji-vlm-9m":4}',
  current: OLD,
  waitSeconds: 60,
};

describe("planDeploy", () => {
  it("takes the encoder all the way, then the edge from 0 % by a smoke test to 100 %", () => {
    const rest = "-c functions/encoder/wrangler.toml --env production";
    const edge = "-c wrangler.toml --env production";
    const soak = ["wait 60 s", "ask about a picture, 40 times; each must be answered"];
    expect(planDeploy(options).map(formatStep)).toEqual([
      `wrangler versions upload --tag 0123abc ${rest}`,
      `wrangler versions deploy '<new encoder>@10%' ${OLD.encoder}@90% --yes ${rest}`,
      ...soak,
      `wrangler versions deploy '<new encoder>@50%' ${OLD.encoder}@50% --yes ${rest}`,
      ...soak,
      `wrangler versions deploy '<new encoder>@100%' --yes ${rest}`,
      ...soak,
      `wrangler versions upload --tag 0123abc --var 'RELEASE_FLOORS:{"moji-vlm-9m":4}' ${edge}`,
      `wrangler versions deploy '<new edge>@0%' ${OLD.edge}@100% --yes ${edge}`,
      'GET /healthz with Cloudflare-Workers-Version-Overrides: fovea-edge-production="<new edge>"; the answer must name <new edge>',
      `wrangler versions deploy '<new edge>@10%' ${OLD.edge}@90% --yes ${edge}`,
      ...soak,
      `wrangler versions deploy '<new edge>@50%' ${OLD.edge}@50% --yes ${edge}`,
      ...soak,
      `wrangler versions deploy '<new edge>@100%' --yes ${edge}`,
      ...soak,
    ]);
  });

  it.each([
    [5, [0, 5]],
    [10, [0, 10]],
    [30, [0, 10, 30]],
    [100, [0, 10, 50, 100]],
  ])("stops at %i %%", (percent, shares) => {
    const deployed = planDeploy({ ...options, percent }).flatMap((step) =>
      step.kind === "wrangler" && step.worker === "edge" && step.args.includes("deploy") ? [step.args[2]] : [],
    );
    expect(deployed).toEqual(shares.map((share) => `<new edge>@${share}%`));
  });

  it("deploys at once what was never deployed", () => {
    const steps = planDeploy({ ...options, stage: "staging", current: { edge: null, encoder: null } });
    expect(steps.map(formatStep)).toEqual([
      "wrangler deploy -c functions/encoder/wrangler.toml --env staging",
      `wrangler deploy --var 'RELEASE_FLOORS:{"moji-vlm-9m":4}' -c wrangler.toml --env staging`,
      "ask about a picture, 1 times; each must be answered",
    ]);
  });

  it("rolls back the edge before the encoder", () => {
    const lines = planRollback("production", OLD).map(formatStep);
    expect(lines[0]).toContain(`versions deploy ${OLD.edge}@100%`);
    expect(lines[1]).toContain(`versions deploy ${OLD.encoder}@100%`);
    expect(planRollback("production", { encoder: OLD.encoder }).length).toBe(1);
  });

  it("uses only commands and flags that the pinned wrangler knows", () => {
    for (const [command, flags] of [
      [
        ["versions", "upload"],
        ["--tag", "--var"],
      ],
      [
        ["versions", "deploy"],
        ["--yes", "--message"],
      ],
      [["deployments", "status"], ["--json"]],
      [["deploy"], ["--var"]],
    ] as const) {
      const { stdout } = spawnSync(process.execPath, [WRANGLER, ...command, "--help"], { cwd: ROOT, encoding: "utf8" });
      for (const flag of [...flags, "--config", "--env"]) expect(stdout).toContain(flag);
    }
  });
});
