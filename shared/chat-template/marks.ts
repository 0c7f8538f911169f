import type { ControlTokens } from "./control-tokens.ts";

/**
 * Marks that stand in a prompt while it is rendered: Unicode noncharacters, which text never holds and no template writes.
 * User text that holds one has it replaced by U+FFFD first, so a mark in a rendered prompt is always one of ours.
 */
export const USER_START = "\uFDD0";
export const USER_END = "\uFDD1";
export const BREAK = "\uFDD2";

const MARKS = /[\uFDD0\uFDD1\uFDD2]/g;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** Text without marks and lone surrogates: each becomes U+FFFD. */
export function clean(text: string): string {
  return text.replace(MARKS, "\uFFFD").replace(LONE_SURROGATES, "\uFFFD");
}

/**
 * Marks user text before rendering, so that no control token is ever read out of it.
 *
 * Text that no control token can have a part in stays as it is: templates that trim, split, slice or compare content see
 * what upstream's see. All other text gets
 * - USER_START and USER_END around what is not white space at its ends (`trim` then works as upstream): no control token
 *   is read out of, or across an edge of, what stands between;
 * - BREAK inside each control token that it holds: a template that slices the text can lose an end of the range, but not
 *   the break inside of the token.
 */
export function markUserText(text: string, tokens: ControlTokens): string {
  const cleaned = clean(text);
  if (!tokens.touches(cleaned)) return cleaned;
  const broken = tokens.breakUp(cleaned, BREAK);
  const start = broken.length - broken.trimStart().length;
  const end = broken.trimEnd().length;
  return broken.slice(0, start) + USER_START + broken.slice(start, end) + USER_END + broken.slice(end);
}
