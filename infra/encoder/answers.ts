import { featuresOf } from "../../shared/encoder/compile/calibrate.ts";
import type { Machine } from "../../shared/encoder/program/run.ts";
import type { ReferenceDecoder } from "./decoder.ts";
import { tilesOf, type Example } from "./examples.ts";

export interface KeptAnswers {
  readonly kept: number;
  readonly of: number;
  readonly changed: readonly { readonly question: string; readonly recorded: string; readonly now: string }[];
}

/** Asks the recorded questions again, with features made by the machine and everything else in float32. */
export async function keptAnswers(
  machine: Machine,
  decoder: ReferenceDecoder,
  examples: readonly Example[],
): Promise<KeptAnswers> {
  const changed: { question: string; recorded: string; now: string }[] = [];
  const { width } = machine.program.output;
  for (const { question, answer, pixel_values, shape } of examples) {
    const features = await featuresOf(machine, tilesOf(pixel_values, shape));
    const now = await decoder.answer(features, features.length / width, question);
    if (now !== answer) changed.push({ question, recorded: answer, now });
  }
  return { kept: examples.length - changed.length, of: examples.length, changed };
}
