import { byId, element } from "../dom.ts";

const select = byId("model", HTMLSelectElement);

/** Offers the models of the API; the built-in one is chosen if it is among them. */
export function renderModels(models: readonly string[], preferred: string | undefined): void {
  select.replaceChildren(
    ...models.map((model) => {
      const option = element("option", "", model);
      option.value = model;
      option.selected = model === preferred;
      return option;
    }),
  );
  byId("model-field", HTMLElement).hidden = models.length === 0;
}

export function chosenModel(): string | undefined {
  return select.value === "" ? undefined : select.value;
}
