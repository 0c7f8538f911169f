import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { ROOT, WORKER_CONFIGS, WRANGLER } from "../paths.ts";
import { runNode } from "../process/run.ts";
import { DeployError, type DeployTools } from "./run-deploy.ts";
import type { Stage, Worker } from "./plan.ts";

const statusSchema = z.object({ versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })) });
const uploadSchema = z.object({ type: z.literal("version-upload"), version_id: z.string() });
const healthSchema = z.object({ version: z.string() });
const answerSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().min(1) }) })).min(1),
});

/** Runs wrangler from the checkout. Throws DeployError with its last lines. */
export async function runWrangler(
  args: readonly string[],
): Promise<{ readonly versionId: string | null; readonly stdout: string }> {
  // wrangler writes what it did to this file as JSON lines; its screen output is for people and changes.
  const record = join(tmpdir(), `fovea-wrangler-${randomUUID()}.jsonl`);
  const { code, stdout, stderr } = await runNode([WRANGLER, ...args], {
    WRANGLER_OUTPUT_FILE_PATH: record,
    WRANGLER_SEND_METRICS: "false",
  });
  const lines = (await readFile(record, "utf8").catch(() => "")).split("\n");
  await rm(record, { force: true });
  if (code !== 0) {
    const said = (stderr.trim() === "" ? stdout : stderr).trim().split("\n").slice(-6).join("\n");
    throw new DeployError(`wrangler ${args.slice(0, 2).join(" ")} failed: ${said}`);
  }
  const made = lines
    .filter((line) => line !== "")
    .map((line) => uploadSchema.safeParse(JSON.parse(line)).data?.version_id);
  return { versionId: made.find((id) => id !== undefined) ?? null, stdout };
}

/**
 * The version that has all of a Worker's traffic; null when it was never deployed. Throws DeployError in the middle of
 * another rollout: which of the two is the old one is for a person to say.
 */
export async function currentVersion(stage: Stage, worker: Worker): Promise<string | null> {
  const args = ["deployments", "status", "--json", "-c", WORKER_CONFIGS[worker], "--env", stage];
  let stdout: string;
  try {
    ({ stdout } = await runWrangler(args));
  } catch (thrown) {
    if (thrown instanceof DeployError && /has no deployments|does not exist|10007/.test(thrown.message)) return null;
    throw thrown;
  }
  const { versions } = statusSchema.parse(JSON.parse(stdout));
  const [only, ...others] = versions.filter(({ percentage }) => percentage > 0);
  if (only === undefined || others.length > 0) {
    throw new DeployError(
      `another rollout of the ${worker} is under way in ${stage}; end it, or go back with --rollback`,
    );
  }
  return only.version_id;
}

export interface CloudflareTarget {
  /** Base URL of the stage, without a slash at its end. */
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
  readonly log: (line: string) => void;
}

export function cloudflareTools({ url, apiKey, model, log }: CloudflareTarget): DeployTools {
  return {
    log,
    async wrangler(args) {
      log(`wrangler ${args.join(" ")}`);
      return runWrangler(args);
    },
    async health(override) {
      const answer = await fetch(`${url}/healthz`, { headers: { "Cloudflare-Workers-Version-Overrides": override } });
      if (!answer.ok) throw new DeployError(`${url}/healthz answered ${answer.status}`);
      return healthSchema.parse(await answer.json()).version;
    },
    async ask() {
      const picture = await readFile(join(ROOT, "model-artifacts/moji-vlm-9m/examples/19_bg.png"));
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        body: JSON.stringify({
          model,
          max_completion_tokens: 16,
          messages: [
            {
              role: "user",
              content: [
                { type: "image_url", image_url: { url: `data:image/png;base64,${picture.toString("base64")}` } },
                { type: "text", text: "What is this?" },
              ],
            },
          ],
        }),
      });
      const ok = answer.ok && answerSchema.safeParse(await answer.json().catch(() => null)).success;
      if (!ok) throw new DeployError(`a question about a picture was answered with ${answer.status}`);
    },
    wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
  };
}
