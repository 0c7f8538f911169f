import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { ROOT } from "../paths.ts";

const NATIVE = path.join(ROOT, "functions/edge/media/codecs/native");

/**
 * The codecs are built with emscripten, which not everybody has, so the check does not build them: native/build.sh writes
 * down the hashes of what it read and made, and they must still be true.
 */
const built = await readFile(path.join(NATIVE, "built.sha256"), "utf8");
for (const line of built.trim().split("\n")) {
  const [hash, name] = line.split(/\s+/);
  if (name === undefined) throw new Error("built.sha256 is damaged. Run native/build.sh.");
  const now = createHash("sha256")
    .update(await readFile(path.join(NATIVE, name)))
    .digest("hex");
  if (now !== hash) throw new Error(`${name} is not what codecs.wasm was built from or as. Run native/build.sh.`);
}
console.log(`${built.trim().split("\n").length} files as built`);
