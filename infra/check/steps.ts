/** One rule of `npm run check`: a program in node_modules/.bin, or Node itself. */
export interface Step {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
}

export const STEPS: readonly Step[] = [
  { name: "types", what: "tsc, every project", command: ["tsc", "-b"] },
  {
    name: "lint",
    what: "type-aware lint and import direction, no warnings",
    command: ["oxlint", "--type-aware", "--deny-warnings"],
  },
  { name: "format", what: "prettier", command: ["prettier", "--check", ".", "--log-level", "warn"] },
  { name: "unused", what: "unused files, exports and dependencies", command: ["knip"] },
  {
    name: "env-edge",
    what: "generated types of the edge are current",
    command: [
      "wrangler",
      "types",
      "-c",
      "wrangler.toml",
      "--include-runtime=false",
      "--check",
      "functions/edge/worker-configuration.d.ts",
    ],
  },
  {
    name: "env-enc",
    what: "generated types of the encoder are current",
    command: [
      "wrangler",
      "types",
      "-c",
      "functions/encoder/wrangler.toml",
      "--include-runtime=false",
      "--check",
      "functions/encoder/worker-configuration.d.ts",
    ],
  },
  {
    name: "bundles",
    what: "every environment bundles, within its size budget",
    command: ["node", "infra/check/bundles.ts"],
  },
  {
    name: "repo",
    what: "file sizes, lock file, words that do not belong",
    command: ["node", "infra/check/repository.ts"],
  },
  {
    name: "wasm",
    what: "built wasm is what its source gives",
    command: ["node", "infra/build-wasm/run.ts", "--check"],
  },
  {
    name: "codecs",
    what: "the committed codecs are what was built from these sources",
    command: ["node", "infra/check/codecs.ts"],
  },
];
