import type { Answer } from "./ask.ts";
import type { Reference, ReferenceRequest } from "./models.ts";

/** Where an answer first differs from the reference; null when it is the same, id for id. */
export function difference(answer: Answer, request: ReferenceRequest, about: Reference["about"]): string | null {
  const prompt = firstDifference(answer.prompt_token_ids, request.input_ids);
  if (prompt !== null) return `prompt_token_ids ${prompt}`;
  // The reference ends with the end token where there was one; an answer reports it by its finish_reason alone
  const last = request.output_ids.at(-1) ?? -1;
  const ended = about.eos_token_id.includes(last);
  const output = firstDifference(answer.token_ids, ended ? request.output_ids.slice(0, -1) : request.output_ids);
  if (output !== null) return `token_ids ${output}`;
  const reason = ended ? "stop" : "length";
  if (answer.finish_reason !== reason) return `finish_reason ${answer.finish_reason}, not ${reason}`;
  return answer.text === request.text
    ? null
    : `text ${JSON.stringify(answer.text)}, not ${JSON.stringify(request.text)}`;
}

function firstDifference(got: readonly number[], want: readonly number[]): string | null {
  const at = Array.from({ length: Math.max(got.length, want.length) }, (_, i) => i).find((i) => got[i] !== want[i]);
  return at === undefined ? null : `differ at ${at}: ${got[at] ?? "none"}, not ${want[at] ?? "none"}`;
}
