import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { AnswerGrammar } from "./answer-grammar.ts";
import type { Verdict } from "./check-thread.ts";
import { Grammars } from "./grammars.ts";
import { schemaFlaw } from "./schema-flaw.ts";
import type { GrammarThreadData } from "./thread-data.ts";

/** Compiles grammars for `CheckThread` and says whether answers can follow them. */
const { tokenizer, vocabSize, stopTokenIds } = workerData as GrammarThreadData;
const grammars = await Grammars.open(readFileSync(tokenizer), vocabSize, stopTokenIds);
const port = parentPort;
if (port === null) throw new Error("grammar/check-worker.ts runs in a worker thread");

async function refusal(grammar: AnswerGrammar): Promise<string | null> {
  const flaw = schemaFlaw(grammar);
  if (flaw !== null) return flaw;
  const answer = await grammars.follow(grammar);
  const first = await answer.mask();
  answer.close();
  return first?.some((bits) => bits !== 0) === true ? null : "No answer can follow the JSON schema.";
}

port.on("message", (grammar: AnswerGrammar) => {
  void refusal(grammar).then(
    (reason) => port.postMessage({ refusal: reason } satisfies Verdict, []),
    () => port.postMessage({ refusal: undefined } satisfies Verdict, []),
  );
});
port.postMessage("ready", []);
