/** sessionStorage lives as long as the tab and is never sent anywhere by the browser itself. */
const STORAGE_KEY = "fovea.api_key";

/**
 * The key that the page was opened with (`/#key=...`), or the one kept for this tab. A key in the fragment never
 * reaches a server; it is also taken out of the address bar, so that it does not end up in a bookmark or a screenshot.
 */
export function takeApiKey(location: Location, history: History, storage: Storage): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const key = fragment.get("key");
  if (key !== null && key !== "") {
    storage.setItem(STORAGE_KEY, key);
    fragment.delete("key");
    const rest = fragment.toString();
    history.replaceState(null, "", location.pathname + location.search + (rest === "" ? "" : `#${rest}`));
  }
  return storage.getItem(STORAGE_KEY) ?? undefined;
}

export function keepApiKey(key: string, storage: Storage): void {
  storage.setItem(STORAGE_KEY, key);
}
