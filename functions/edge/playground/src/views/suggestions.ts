import { byId, element } from "../dom.ts";

/** Stands for the name of a thing; a suggestion that holds it is completed by hand. */
const BLANK = "…";

/** Forms of question that the built-in model was trained on. */
const QUESTIONS = [
  "What is in this picture?",
  "How many objects do you see?",
  `Where is the ${BLANK}?`,
  `Give a bounding box for the ${BLANK}.`,
  "What color is the background?",
];

/**
 * Questions that fit, the picture's own first. A whole question is asked at once; in one with a blank the blank is
 * selected in the field, to be typed over.
 */
export function renderSuggestions(own: string | undefined, onAsk: (question: string) => void): void {
  const questions = [...new Set(own === undefined ? QUESTIONS : [own, ...QUESTIONS])];
  byId("suggestions", HTMLElement).replaceChildren(
    ...questions.map((question) => {
      const chip = element("button", "chip", question.replace(`${BLANK}.`, BLANK));
      chip.type = "button";
      chip.addEventListener("click", () => {
        const blank = question.indexOf(BLANK);
        if (blank === -1) onAsk(question);
        else fillIn(question, blank);
      });
      return element("li", "", chip);
    }),
  );
}

function fillIn(question: string, blank: number): void {
  const field = byId("question", HTMLInputElement);
  field.value = question;
  field.focus();
  field.setSelectionRange(blank, blank + BLANK.length);
}
