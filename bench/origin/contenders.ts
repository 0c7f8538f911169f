import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EngineHost } from "../../functions/origin/engine/host.ts";
import { sourceOf, type BenchModel } from "./model.ts";
import { Peer } from "./peer.ts";

export const ENGINE = {
  maxSequences: 16,
  kvBytes: 2 ** 31,
  prefillSliceMs: 50,
  maxChunkTokens: 512,
  prefixCache: true,
};

/** Tokens of one answer, on every side. */
export const TOKENS = 48;

/** Prompts that streams start from. */
export function shortPrompts({ prompts }: BenchModel, count = 16): readonly Int32Array[] {
  return Array.from({ length: count }, (_, i) => prompts[i % 16] ?? new Int32Array([1]));
}

export function startEngine(model: BenchModel, graph: string, threads: number): Promise<EngineHost> {
  return EngineHost.start({ backbone: sourceOf(model, graph, threads), settings: ENGINE, tokenizer: null });
}

export interface PeerFolders {
  /** Where `@huggingface/transformers` and `node-llama-cpp` are installed. */
  readonly peers: string | undefined;
  readonly gguf: string | undefined;
}

/** What is installed of the peers; null for the rest. */
export interface Peers {
  readonly transformers: Peer | null;
  readonly llama: Peer | null;
}

export async function startPeers(
  model: BenchModel,
  { peers: folder, gguf }: PeerFolders,
  threads: number,
): Promise<Peers> {
  if (folder === undefined) return { transformers: null, llama: null };
  const common = [String(threads), String(TOKENS)];
  const has = (name: string): boolean => existsSync(join(folder, "node_modules", name));
  return {
    transformers: has("@huggingface/transformers")
      ? await Peer.start("transformers.js", [folder, model.folder, model.embedTokens, visionEncoder(), ...common])
      : null,
    llama:
      gguf !== undefined && has("node-llama-cpp") ? await Peer.start("llama.cpp", [folder, gguf, ...common]) : null,
  };
}

/** Any encoder does: it is loaded because transformers.js asks for one, and never run. */
function visionEncoder(): string {
  const folder = new URL("../../model-artifacts/moji-vlm-9m/onnx/", import.meta.url).pathname;
  const file = readdirSync(folder).find((name) => name.startsWith("vision_encoder") && name.endsWith(".onnx"));
  if (file === undefined) throw new Error("the built-in model has no vision encoder");
  return folder + file;
}
