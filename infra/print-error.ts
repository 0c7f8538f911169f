import { stripVTControlCharacters } from "node:util";
import { ReleaseError } from "../shared/releases/error.ts";
import { HubError } from "./hub/hub-error.ts";
import { UsageError } from "./usage.ts";

/**
 * What every command ends with when it fails: one line on stderr that says what to do. With --json stdout gets one line, too,
 * `{"error": {code, message}}`, so that it holds JSON and nothing else whatever happens.
 */
export function printError(thrown: unknown, json: boolean): void {
  const { code, message } = describe(thrown);
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  process.stderr.write(`fovea: ${message}\n`);
}

/** Exit status of a command that failed: 2 when it was called wrongly, as shells have it. */
export function failureStatus(thrown: unknown): 1 | 2 {
  return thrown instanceof UsageError || (thrown instanceof Error && thrown.name === "CLIError") ? 2 : 1;
}

function describe(thrown: unknown): { readonly code: string; readonly message: string } {
  if (thrown instanceof ReleaseError) return { code: thrown.fault, message: thrown.detail };
  if (thrown instanceof HubError) return { code: thrown.fault, message: thrown.message };
  // citty's messages are coloured.
  if (thrown instanceof Error) return { code: thrown.name, message: stripVTControlCharacters(thrown.message) };
  return { code: "unknown", message: String(thrown) };
}
