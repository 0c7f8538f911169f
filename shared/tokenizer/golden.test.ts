import { describe, expect, it } from "vitest";
import golden from "../../test/golden/tokenizer/golden.json";
import { compileTokenizer } from "./compile/compile.ts";
import { Tokenizer } from "./tokenizer.ts";

/** Answers of the Rust package, see test/golden/tokenizer/generate.py. */
describe.each(Object.entries(golden))("%s", (_, { tokenizer: json, answers }) => {
  const tokenizer = Tokenizer.load(compileTokenizer(json));

  it.each(answers.map((answer) => [JSON.stringify(answer.text).slice(0, 40), answer] as const))(
    "%s",
    (_text, answer) => {
      const { ids, offsets } = tokenizer.encode(answer.text, { offsets: true });
      expect([...ids]).toEqual(answer.ids);
      expect([...offsets]).toEqual(answer.offsets);
      expect([...tokenizer.encode(answer.text).ids]).toEqual(answer.ids);
      expect(tokenizer.decode(ids)).toBe(answer.decoded);
    },
  );
});
