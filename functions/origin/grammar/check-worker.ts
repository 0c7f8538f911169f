import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { AnswerGrammar } from "./answer-grammar.ts";
import { Grammars } from "./grammars.ts";

/** Compiles grammars for `GrammarChecker` and says whether it went well. */
const { tokenizer, vocabSize, stopTokenIds } = workerData as {
  readonly tokenizer: string;
  readonly vocabSize: number;
  readonly stopTokenIds: readonly number[];
};
const grammars = await Grammars.open(readFileSync(tokenizer), vocabSize, stopTokenIds);
const port = parentPort;
if (port === null) throw new Error("grammar/check-worker.ts runs in a worker thread");
port.on("message", (grammar: AnswerGrammar) => {
  void grammars.compile(grammar).then(
    () => port.postMessage(true, []),
    () => port.postMessage(false, []),
  );
});
port.postMessage("ready", []);
