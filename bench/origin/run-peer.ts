import { spawn } from "node:child_process";
import * as z from "zod";

const result = z.object({
  streams: z.int().default(1),
  ttft_ms: z.number(),
  tokens_per_second: z.number(),
});

export type PeerResult = z.output<typeof result>;

const PEERS = {
  "transformers.js": new URL("./peers/transformers-js.ts", import.meta.url),
  "llama.cpp": new URL("./peers/llama-cpp.ts", import.meta.url),
};

/** Runs a peer in a process of its own, so that its threads and its memory end with it. */
export async function runPeer(peer: keyof typeof PEERS, args: readonly string[]): Promise<PeerResult[]> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PEERS[peer].pathname, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  const status = await new Promise((resolve) => child.once("exit", resolve));
  if (status !== 0) throw new Error(`${peer} ended with ${String(status)}`);
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => result.parse(JSON.parse(line)));
}
