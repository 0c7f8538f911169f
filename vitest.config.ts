import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** What runs in workerd in production is tested in workerd, the rest in Node; e2e tests talk to one real local stack. */
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
              images: { binding: "IMAGES" },
              ratelimits: { RATE_LIMITER: { namespace_id: "1", simple: { limit: 3, period: 60 } } },
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
          include: [
            "functions/origin/**/*.test.ts",
            "infra/**/*.test.ts",
            "test/{engine,golden,releases,tokenizer}/**/*.test.ts",
          ],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/{conformance,contracts,e2e,zoo}/**/*.test.ts"],
          globalSetup: ["test/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          // One stack on two cores: files that load it at once would only wait for each other.
          fileParallelism: false,
        },
      },
    ],
  },
});
