import { isModelName, RELEASE_VERSION } from "../../../shared/releases/keys.ts";
import { UsageError } from "../../usage.ts";

/**
 * Whether a release can be called so, before anything is read or hashed for it.
 * @throws UsageError that says which option names it otherwise
 */
export function checkReleaseName(model: string, version?: string): void {
  const letters = "letters, digits, . _ and - in between";
  if (!isModelName(model)) {
    throw new UsageError(`a model cannot be called ${JSON.stringify(model)}: give --model NAME (64 ${letters})`);
  }
  if (version !== undefined && (!RELEASE_VERSION.test(version) || version.includes(".."))) {
    throw new UsageError(`a version cannot be called ${JSON.stringify(version)}: give --version 1.0.0 (48 ${letters})`);
  }
}
