import { ENCODER_RELEASE_BUDGET_BYTES } from "../limits/releases.ts";

/** What is known of a release's encoder when it is published. */
export interface EncoderFacts {
  /** Why the compiler left the graph alone: node and operator, or what of it cannot be read; null when it compiled. */
  readonly unsupported: string | null;
  /** Weights and arena of the compiled program; null without one. */
  readonly programBytes: number | null;
  /** The gate on the release's example pictures; null when it was not measured. */
  readonly gate: { readonly pictures: number; readonly leastCosine: number; readonly passed: boolean } | null;
  /** Answers of the recorded examples that stayed the same; null when the release records none. */
  readonly answers: { readonly kept: number; readonly of: number } | null;
}

export interface RuntimeChoice {
  readonly runtime: "fovea" | "onnxruntime-web";
  readonly reason: string;
}

/**
 * Which runtime encodes for a release: ours only for a graph that compiled, fits, and passed its gate on the release's own
 * pictures. Pure; the reason is what `fovea plan` prints.
 */
export function chooseEncoderRuntime({ unsupported, programBytes, gate, answers }: EncoderFacts): RuntimeChoice {
  const leave = (reason: string): RuntimeChoice => ({ runtime: "onnxruntime-web", reason });
  if (unsupported !== null) return leave(`the compiler left the graph alone: ${unsupported}`);
  if (programBytes === null) return leave("the graph was not compiled");
  if (programBytes > ENCODER_RELEASE_BUDGET_BYTES)
    return leave(`${programBytes} bytes of weights and arena, an isolate takes ${ENCODER_RELEASE_BUDGET_BYTES}`);
  if (gate === null || gate.pictures === 0) return leave("no example pictures to measure its accuracy on");
  const least = gate.leastCosine.toFixed(5);
  if (!gate.passed) return leave(`cosine ${least} to float32 on its worst example picture`);
  if (answers !== null && answers.kept < answers.of)
    return leave(`${answers.of - answers.kept} of ${answers.of} recorded answers changed`);
  const kept = answers === null ? "" : `, ${answers.kept} of ${answers.of} recorded answers kept`;
  return { runtime: "fovea", reason: `cosine at least ${least} on ${gate.pictures} example pictures${kept}` };
}
