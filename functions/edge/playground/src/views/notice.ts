import { byId } from "../dom.ts";

const notice = byId("notice", HTMLElement);

/** What went wrong outside of a question, in words, until the next thing goes right. */
export function showNotice(message: string): void {
  notice.textContent = message;
  notice.hidden = false;
}

export function hideNotice(): void {
  notice.hidden = true;
  notice.textContent = "";
}
