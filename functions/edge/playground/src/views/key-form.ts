import { byId } from "../dom.ts";

const form = byId("key-form", HTMLFormElement);
const field = byId("key", HTMLInputElement);
const button = byId("key-button", HTMLButtonElement);

export const keyForm = {
  open(): void {
    setOpen(true);
    field.focus();
  },

  listen(onKey: (key: string) => void): void {
    button.addEventListener("click", () => (form.hidden ? this.open() : setOpen(false)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const key = field.value.trim();
      if (key === "") return;
      field.value = "";
      setOpen(false);
      onKey(key);
    });
  },
};

function setOpen(open: boolean): void {
  form.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
}
