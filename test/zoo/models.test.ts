import { beforeAll, describe, expect, it } from "vitest";
import { startTestStack, type TestStack } from "../stack.ts";
import { askAll, PLACEMENTS } from "./ask-all.ts";
import { FIXTURES, modelsIn } from "./models.ts";

const REQUESTS = 20;

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});

describe.each(modelsIn(FIXTURES))("$name", (model) => {
  it.each(PLACEMENTS)(
    "answers as transformers does, whole and streamed, encoder at the %s",
    async (placement) => {
      const { requests, same, differences } = await askAll(stack, model, placement);
      expect(differences).toEqual([]);
      expect({ requests, same }).toEqual({ requests: REQUESTS, same: { whole: REQUESTS, streamed: REQUESTS } });
    },
    180_000,
  );
});
