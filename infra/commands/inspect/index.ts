import { defineCommand } from "citty";
import { inspectFeatures } from "./features.ts";
import { inspectPixels } from "./pixels.ts";
import { inspectTokens } from "./tokens.ts";

/** `fovea inspect`: what each stage of the edge makes of an input. */
export default defineCommand({
  meta: { name: "inspect", description: "Show what each edge stage makes: tokens, pixels, features" },
  subCommands: { tokens: inspectTokens, pixels: inspectPixels, features: inspectFeatures },
});
