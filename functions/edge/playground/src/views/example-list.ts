import { byId, element } from "../dom.ts";
import type { Example } from "../examples.ts";

/** Thumbnails of the examples; `onPick` gets the one that was chosen. */
export function renderExamples(examples: readonly Example[], onPick: (example: Example) => void): void {
  const list = byId("examples", HTMLElement);
  const buttons: HTMLButtonElement[] = [];
  for (const example of examples) {
    const thumbnail = element("img");
    thumbnail.src = `/examples/${example.image}`;
    thumbnail.loading = "lazy";
    thumbnail.width = example.width;
    thumbnail.height = example.height;
    thumbnail.alt = `Example ${buttons.length + 1}: ${example.question}`;
    const button = element("button", "example", thumbnail);
    button.type = "button";
    button.title = example.question;
    button.addEventListener("click", () => {
      for (const other of buttons) other.removeAttribute("aria-current");
      button.setAttribute("aria-current", "true");
      onPick(example);
    });
    buttons.push(button);
    list.append(element("li", "", button));
  }
}

export function forgetPickedExample(): void {
  byId("examples", HTMLElement).querySelector("[aria-current]")?.removeAttribute("aria-current");
}
