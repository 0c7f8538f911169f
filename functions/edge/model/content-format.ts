import type { ChatMessage, ChatRole, ChatTemplate } from "../../../shared/chat-template/chat-template.ts";

/** How a template wants a message without pictures: its text, or a list with one text part. */
export type ContentFormat = "text" | "parts";

export type ContentFormats = (role: ChatRole) => ContentFormat;

const PROBE = "fovea";

/** What stands before a message of the role in an ordinary chat: some templates insist on turns that alternate. */
const BEFORE: Readonly<Partial<Record<ChatRole, readonly ChatMessage[]>>> = {
  assistant: [{ role: "user", content: PROBE.toUpperCase() }],
};

/**
 * Templates of one family print `message.content`, those of another walk over its parts, and some do either by role (GLM-4V
 * prints the system message and walks over the user's). The hub says nowhere which, so each role is tried once: text
 * where the template prints it, parts where it does not.
 */
export function contentFormats(template: ChatTemplate): ContentFormats {
  const known = new Map<ChatRole, ContentFormat>();
  return (role) => {
    const format = known.get(role) ?? probe(template, role);
    known.set(role, format);
    return format;
  };
}

function probe(template: ChatTemplate, role: ChatRole): ContentFormat {
  const before = BEFORE[role] ?? [];
  const parts = [{ type: "text" as const, text: PROBE }];
  const inParts = before.map((message) => ({ ...message, content: [{ type: "text" as const, text: PROBE }] }));
  if (prints(template, [...before, { role, content: PROBE }])) return "text";
  return prints(template, [...inParts, { role, content: parts }]) ? "parts" : "text";
}

function prints(template: ChatTemplate, messages: readonly ChatMessage[]): boolean {
  try {
    const { text } = template.render(messages, { addGenerationPrompt: false });
    return text.includes(PROBE) && !text.includes(`"text"`) && !text.includes(`'text'`);
  } catch {
    return false;
  }
}
