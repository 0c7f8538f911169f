/** Values that may stand in a log line: numbers, names and codes, never content. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** One JSON line on stdout. Prompts, ids, pictures, keys and paths of requests have no place in it. */
export function log(level: "info" | "warn" | "error", event: string, fields: LogFields = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
}
