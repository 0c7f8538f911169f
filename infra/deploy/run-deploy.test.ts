import { describe, expect, it } from "vitest";
import { planDeploy, type DeployOptions } from "./plan.ts";
import { runDeploy, type DeployTools } from "./run-deploy.ts";

const OLD = { edge: "old-edge", encoder: "old-encoder" };
const options: DeployOptions = { stage: "staging", percent: 100, tag: "t", floors: "{}", current: OLD, waitSeconds: 1 };
const context = { stage: "staging", current: OLD } as const;

function world(change: Partial<DeployTools> = {}): DeployTools & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    wrangler: (args) => {
      ran.push(args.slice(0, -4).join(" "));
      const versionId = args[1] === "upload" ? (args.includes("wrangler.toml") ? "new-edge" : "new-encoder") : null;
      return Promise.resolve({ versionId });
    },
    health: () => Promise.resolve("new-edge"),
    ask: () => Promise.resolve(),
    wait: () => Promise.resolve(),
    log: () => undefined,
    ...change,
  };
}

describe("runDeploy", () => {
  it("fills in the version ids that wrangler gave", async () => {
    const tools = world();
    await runDeploy(planDeploy(options), context, tools);
    expect(tools.ran).toContain("versions deploy new-encoder@10% old-encoder@90% --yes");
    expect(tools.ran).toContain("versions deploy new-edge@0% old-edge@100% --yes");
    expect(tools.ran.at(-1)).toBe("versions deploy new-edge@100% --yes");
    expect(tools.ran.join()).not.toContain("<");
  });

  it("goes back when the override was missed: another version answered", async () => {
    const tools = world({ health: () => Promise.resolve("old-edge") });
    await expect(runDeploy(planDeploy(options), context, tools)).rejects.toThrow("the override was missed");
    expect(tools.ran.slice(-2)).toEqual([
      "versions deploy old-edge@100% --message fovea deploy: rollback --yes",
      "versions deploy old-encoder@100% --message fovea deploy: rollback --yes",
    ]);
  });

  it("goes back only where traffic was changed", async () => {
    const tools = world({ ask: () => Promise.reject(new Error("502")) });
    await expect(runDeploy(planDeploy(options), context, tools)).rejects.toThrow("502");
    expect(tools.ran.at(-1)).toContain("versions deploy old-encoder@100%");
    expect(tools.ran.join()).not.toContain("old-edge");
  });

  it("touches nothing when the upload fails", async () => {
    const ran: string[] = [];
    const wrangler = (args: readonly string[]) => (
      ran.push(args.join(" ")),
      Promise.reject(new Error("not logged in"))
    );
    await expect(runDeploy(planDeploy(options), context, world({ wrangler }))).rejects.toThrow("not logged in");
    expect(ran.length).toBe(1);
  });

  it("says what to run by hand when going back fails too", async () => {
    const wrangler: DeployTools["wrangler"] = (args) =>
      args[1] === "upload" ? Promise.resolve({ versionId: "new" }) : Promise.reject(new Error("500"));
    await expect(runDeploy(planDeploy(options), context, world({ wrangler }))).rejects.toThrow(
      "wrangler versions deploy old-encoder@100%",
    );
  });
});
