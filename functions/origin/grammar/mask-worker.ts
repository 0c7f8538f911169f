import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { Grammars } from "./grammars.ts";
import type { FromMasks, MaskThreadData, ToMasks } from "./mask-messages.ts";
import type { GrammarMatcher } from "./xgrammar.ts";

/** Compiles grammars and follows answers with them, for `MaskThread`. */
const { tokenizer, vocabSize, stopTokenIds } = workerData as MaskThreadData;
const port = parentPort;
if (port === null) throw new Error("grammar/mask-worker.ts runs in a worker thread");
const grammars = await Grammars.open(readFileSync(tokenizer), vocabSize, stopTokenIds);
const matchers = new Map<number, GrammarMatcher>();

async function follow(message: ToMasks): Promise<void> {
  const { id } = message;
  if (message.type === "close") {
    matchers.get(id)?.dispose();
    matchers.delete(id);
    return;
  }
  try {
    if (message.type === "open") matchers.set(id, await grammars.matcher(message.grammar));
    const matcher = matchers.get(id);
    if (matcher === undefined) throw new Error("The answer is not open.");
    if (message.type === "accept" && !matcher.isTerminated()) matcher.acceptToken(message.token);
    const mask = matcher.isTerminated() ? null : await matcher.getNextTokenBitmask();
    send({ id, mask }, mask === null ? [] : [mask.buffer]);
  } catch (error) {
    send({ id, mask: undefined }, []);
    // After an abort inside the library its heap is not to be trusted: the thread ends, and another is started.
    if (error instanceof WebAssembly.RuntimeError) throw error;
  }
}

function send(message: FromMasks, transfer: ArrayBuffer[]): void {
  port?.postMessage(message, transfer);
}

// In the order in which they came.
let last: Promise<void> = Promise.resolve();
port.on("message", (message: ToMasks) => {
  last = last.then(() => follow(message));
});
