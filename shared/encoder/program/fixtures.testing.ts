import idefics3 from "../../../test/golden/encoder/idefics3.json";
import vit from "../../../test/golden/encoder/vit.json";
import writtenOut from "../../../test/golden/encoder/written-out.json";
import { assemble, type Assembled } from "../compile/assemble.ts";
import { compileGraph } from "../compile/compile.ts";
import type { LinearKind } from "../compile/pack.ts";

export const GOLDEN = { vit, idefics3, "written-out": writtenOut };

export function onnxOf(name: keyof typeof GOLDEN): Uint8Array {
  return Uint8Array.from(atob(GOLDEN[name].onnx), (char) => char.charCodeAt(0));
}

/** The picture that test/golden/encoder/make.ts used. */
export function pictureOf(name: keyof typeof GOLDEN): Float32Array {
  const { side } = GOLDEN[name];
  return Float32Array.from({ length: 3 * side * side }, (_, i) =>
    Math.fround(Math.fround((i * 7919) % 255) / 127.5 - 1),
  );
}

export function assembled(name: keyof typeof GOLDEN, kind: LinearKind = 0): Assembled {
  const compiled = compileGraph(onnxOf(name));
  if ("unsupported" in compiled) throw new Error(compiled.unsupported);
  return assemble(compiled.steps, () => kind);
}

export async function sha256(bytes: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A small generator with a seed: integers below `n`. */
export function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
