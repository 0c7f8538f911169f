import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { check } from "../infra/check/run.ts";
import { LOCAL_DIR, ROOT } from "../infra/paths.ts";

const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numFailedTestSuites: z.number(),
});

/**
 * `npm test`: the checks, then every test. Arguments go to vitest (`npm test -- --project node`), and then the checks are
 * left out. Ends with the line that CI reads.
 */
const args = process.argv.slice(2);
const failedChecks = args.length === 0 ? await check([]) : 0;
const report = path.join(LOCAL_DIR, "test-report.json");
await rm(report, { force: true });
const status = await vitest(args);
const counts = await readFile(report, "utf8").then(
  (text) => reportSchema.parse(JSON.parse(text)),
  () => null,
);
const passed = counts?.numPassedTests ?? 0;
// A file that does not load fails without a failed test, and a run that crashed has no report: both count.
const failedTests = counts === null ? 1 : Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 ? 1 : 0);
const failed = failedChecks + (status === 0 ? failedTests : Math.max(1, failedTests));
const skipped = counts?.numPendingTests ?? 0;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function vitest(extra: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [
        path.join(ROOT, "node_modules/vitest/vitest.mjs"),
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
        ...extra,
      ],
      { cwd: ROOT, stdio: "inherit", env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
    );
    child.on("error", () => resolve(1));
    child.on("close", (code) => resolve(code ?? 1));
  });
}
