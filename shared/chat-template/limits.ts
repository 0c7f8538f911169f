/** Nodes of a template that may be evaluated for one prompt. A chat of 256 messages with tools takes about 50,000; beyond: 400. */
export const MAX_TEMPLATE_STEPS = 1_000_000;

/** Characters of a rendered prompt: the text of the chat and what the template adds; beyond: 400. */
export const MAX_PROMPT_CHARS = 2_000_000;

/** Characters of a template's source; the longest real ones have about 30,000; beyond: the release is refused. */
export const MAX_TEMPLATE_CHARS = 200_000;

/** Items of one `range()` in a template; beyond: the template fails. */
export const MAX_TEMPLATE_RANGE = 10_000;

/** Nesting of messages and tools; JSON schemas of tools have about 10 levels; beyond: 400. */
export const MAX_MESSAGE_DEPTH = 64;
