import { ApiError } from "./api/error.ts";
import { PictureError } from "./picture.ts";

/** Any failure in words for the page. Only messages that were written for people are passed on. */
export function toWords(thrown: unknown): string {
  if (thrown instanceof ApiError || thrown instanceof PictureError) return thrown.message;
  // fetch reports every network failure as a TypeError with a text of the browser's own.
  if (thrown instanceof TypeError) return "The server cannot be reached. Is it still running?";
  return "The server sent something this page does not understand. Reload the page and ask again.";
}

export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === "AbortError";
}
