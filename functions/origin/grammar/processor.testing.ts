import type { AnswerGrammar } from "./answer-grammar.ts";
import type { Grammars } from "./grammars.ts";
import { GrammarProcessor } from "./processor.ts";

/** The processor of one answer without a thread for its masks. */
export async function processorOf(grammars: Grammars, grammar: AnswerGrammar): Promise<GrammarProcessor> {
  const answer = await grammars.follow(grammar);
  return new GrammarProcessor(await answer.mask(), answer);
}
