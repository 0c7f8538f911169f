import path from "node:path";
import { ROOT } from "../paths.ts";

/** The model that comes with Fovea. */
export const BUILTIN_MODEL = "moji-vlm-9m";
export const BUILTIN_DIR = path.join(ROOT, "model-artifacts", BUILTIN_MODEL);
export const BUILTIN_EXAMPLES = path.join(BUILTIN_DIR, "examples");
