import { defineCommand } from "citty";
import { runFovea } from "./main.ts";

/** Commands are loaded when they are called, so that none pays for another's dependencies. */
const fovea = defineCommand({
  meta: {
    name: "fovea",
    version: "0.1.0",
    description: "Split multimodal inference: see at the edge, think at the origin.",
  },
  subCommands: {
    dev: () => import("./commands/dev.ts").then(defaultOf),
    ask: () => import("./commands/ask.ts").then(defaultOf),
    inspect: () => import("./commands/inspect/index.ts").then(defaultOf),
    import: () => import("./commands/import.ts").then(defaultOf),
    plan: () => import("./commands/plan.ts").then(defaultOf),
    publish: () => import("./commands/publish.ts").then(defaultOf),
    promote: () => import("./commands/promote.ts").then(defaultOf),
    rollback: () => import("./commands/rollback.ts").then(defaultOf),
    list: () => import("./commands/list.ts").then(defaultOf),
    diff: () => import("./commands/diff.ts").then(defaultOf),
    verify: () => import("./commands/verify.ts").then(defaultOf),
    gc: () => import("./commands/gc.ts").then(defaultOf),
    deploy: () => import("./commands/deploy.ts").then(defaultOf),
  },
});

function defaultOf<T>(module: { readonly default: T }): T {
  return module.default;
}

await runFovea(fovea, process.argv.slice(2));
