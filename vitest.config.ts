import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Two runtimes, two projects: what runs in production in workerd is tested in workerd, the rest in Node. */
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [
          cloudflareTest({
            miniflare: {
              compatibilityDate: "2026-10-01",
              compatibilityFlags: ["enable_request_signal"],
              r2Buckets: ["RELEASES"],
              // As wrangler has it: a wasm file is a compiled module, not an ES module with imports of its own
              modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm", "**/*.wasm?module"] }],
            },
          }),
        ],
        test: { name: "workerd", include: ["shared/**/*.test.ts", "functions/{edge,encoder}/**/*.test.ts"] },
      },
      {
        test: {
          name: "node",
          include: ["functions/origin/**/*.test.ts", "infra/**/*.test.ts", "test/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
