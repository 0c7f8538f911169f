import { byId } from "../dom.ts";

/** Calls `onFile` for each picture that is dropped anywhere on the page, pasted, or chosen. */
export function listenForPictures(onFile: (file: File) => void): void {
  listenForDrops(onFile);

  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file === undefined) return; // Text goes where the cursor is.
    event.preventDefault();
    onFile(file);
  });

  const input = byId("file", HTMLInputElement);
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file !== undefined) onFile(file);
    input.value = ""; // The same file can be chosen again.
  });
}

function listenForDrops(onFile: (file: File) => void): void {
  // dragenter and dragleave fire for every element on the way; only the balance says whether the page was left.
  let depth = 0;
  const setDepth = (next: number): void => {
    depth = Math.max(0, next);
    document.body.classList.toggle("dropping", depth > 0);
  };
  const holdsFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

  document.addEventListener("dragenter", (event) => {
    if (holdsFile(event)) setDepth(depth + 1);
  });
  document.addEventListener("dragleave", (event) => {
    if (holdsFile(event)) setDepth(depth - 1);
  });
  document.addEventListener("dragover", (event) => {
    if (holdsFile(event)) event.preventDefault(); // Otherwise the browser opens the file in place of the page.
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    setDepth(0);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) onFile(file);
  });
}
