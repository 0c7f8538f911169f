import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as z from "zod";

/** One line of a peer: the first says that it is ready, each later one answers a request. */
const line = z.union([z.object({ ready: z.literal(true) }), z.object({ tokens_per_second: z.number() })]);

const PEERS = {
  "transformers.js": new URL("./peers/transformers-js.ts", import.meta.url),
  "llama.cpp": new URL("./peers/llama-cpp.ts", import.meta.url),
};

/** A peer in a process of its own that stays loaded between its turns, so that it and the engine are measured moments apart. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string, undefined>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string, undefined>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** Resolves when the model is loaded and has run once. */
  static async start(name: keyof typeof PEERS, args: readonly string[]): Promise<Peer> {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PEERS[name].pathname, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const peer = new Peer(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
    await peer.#next();
    return peer;
  }

  /** Tokens per second of one stream for each prompt, all at once, from the moment when all of them run. */
  async tokensPerSecond(prompts: readonly Int32Array[]): Promise<number> {
    this.#child.stdin?.write(`${JSON.stringify(prompts.map((ids) => [...ids]))}\n`);
    const answer = await this.#next();
    if (!("tokens_per_second" in answer)) throw new Error("the peer gave no rate");
    return answer.tokens_per_second;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }

  /** Libraries print lines of their own in between. */
  async #next(): Promise<z.output<typeof line>> {
    for (;;) {
      const next: IteratorResult<string, undefined> = await this.#lines.next();
      if (next.done === true) throw new Error(`the peer ended with ${String(this.#child.exitCode)}`);
      if (next.value.startsWith("{")) return line.parse(JSON.parse(next.value));
    }
  }
}
