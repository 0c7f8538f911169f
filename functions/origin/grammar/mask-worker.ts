import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { FollowedAnswer } from "./followed-answer.ts";
import { Grammars } from "./grammars.ts";
import type { FromMasks, ToMasks } from "./mask-messages.ts";
import type { GrammarThreadData } from "./thread-data.ts";

/** Compiles grammars and follows answers with them, for `MaskThread`. */
const { tokenizer, vocabSize, stopTokenIds } = workerData as GrammarThreadData;
const port = parentPort;
if (port === null) throw new Error("grammar/mask-worker.ts runs in a worker thread");
const grammars = await Grammars.open(readFileSync(tokenizer), vocabSize, stopTokenIds);
const answers = new Map<number, FollowedAnswer>();

async function follow(message: ToMasks): Promise<void> {
  const { id } = message;
  if (message.type === "close") {
    answers.get(id)?.close();
    answers.delete(id);
    return;
  }
  try {
    if (message.type === "open") answers.set(id, await grammars.follow(message.grammar));
    const answer = answers.get(id);
    if (answer === undefined) throw new Error("The answer is not open.");
    const mask = await (message.type === "accept" ? answer.accept(message.token) : answer.mask());
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
