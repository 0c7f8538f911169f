import { byId, element } from "../dom.ts";

const list = byId("turns", HTMLElement);
const spoken = byId("spoken", HTMLElement);

/** One question with its answer, as it arrives. */
export interface TurnView {
  append(text: string): void;
  /** The answer is whole (or was stopped): small print follows it, and screen readers hear it once. */
  finish(answer: string, facts: readonly string[], drawn: string | undefined): void;
  fail(message: string): void;
}

export function addTurn(question: string): TurnView {
  const answer = element("p", "answer");
  answer.setAttribute("aria-busy", "true");
  const item = element("li", "turn", element("p", "question", question), answer);
  list.append(item);
  item.scrollIntoView({ block: "nearest" });
  spoken.textContent = "";

  return {
    append(text) {
      answer.append(text);
    },
    finish(text, facts, drawn) {
      answer.setAttribute("aria-busy", "false");
      if (text === "") answer.append(element("span", "hint", "(no answer)"));
      if (drawn !== undefined) item.append(element("p", "hint", drawn));
      item.append(element("p", "hint facts", facts.join(" · ")));
      spoken.textContent = text === "" ? "No answer." : `Answer: ${text} ${drawn ?? ""}`;
    },
    fail(message) {
      answer.setAttribute("aria-busy", "false");
      if (answer.textContent === "") answer.remove();
      const words = element("p", "failure", message);
      words.setAttribute("role", "alert");
      item.append(words);
    },
  };
}

export function clearTurns(): void {
  list.replaceChildren();
  spoken.textContent = "";
}
