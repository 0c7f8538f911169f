import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { ENCODER_ENTRY, RELAXED } from "../../infra/build-wasm/encoder.ts";
import { compileAssemblyScript } from "../../infra/build-wasm/asc.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOT = "return i32x4.relaxed_dot_i8x16_i7x16_add_s(s, u, sum);";

/**
 * The kernels with a float multiply-add in place of the byte dot: wrong numbers in the time that a machine with AVX-VNNI would take.
 * Both instructions begin twice a cycle and take five on x86-64, so that what the tile's other instructions cost beside the dot
 * shows on a machine that does not have it.
 */
export async function standInModule(): Promise<WebAssembly.Module> {
  const folder = await mkdtemp(join(ROOT, "node_modules/.stand-in-"));
  try {
    await cp(join(ROOT, ENCODER_ENTRY, ".."), folder, { recursive: true });
    const tile = join(folder, "tile.ts");
    const source = await readFile(tile, "utf8");
    if (!source.includes(DOT)) throw new Error(`${tile} has no "${DOT}"`);
    await writeFile(tile, source.replace(DOT, "return f32x4.relaxed_madd(s, u, sum);"));
    const binary = await compileAssemblyScript(join(relative(".", folder), "index.ts"), RELAXED);
    return await WebAssembly.compile(new Uint8Array(binary));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
