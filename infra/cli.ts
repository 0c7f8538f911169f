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
    dev: () => import("./commands/dev.ts").then(({ dev }) => dev),
    inspect: () => import("./commands/inspect/index.ts").then(({ inspect }) => inspect),
  },
});

await runFovea(fovea, process.argv.slice(2));
