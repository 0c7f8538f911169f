import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";

const HEAD = ["model", "family", "encoder at the edge", "encoder at the origin", "frame, features", "frame, pixels"];
const BEGIN = "<!-- zoo: `npm run zoo` writes this table -->";
const END = "<!-- zoo -->";

/** The cells of one model, its name first. */
export type Row = readonly string[];

/**
 * The document with these rows in the table between its marks. Rows of models that were not asked stay as they are.
 * @throws Error for a document without the marks
 */
export function withRows(document: string, rows: readonly Row[]): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`The document has no ${BEGIN} before ${END}.`);
  const known = document
    .slice(from + BEGIN.length, to)
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => line.split("|").slice(1, -1))
    .map((cells): [string, Row] => [cells[0]?.trim() ?? "", cells.map((cell) => cell.trim())]);
  const all = new Map([...known, ...rows.map((row): [string, Row] => [row[0] ?? "", row])]);
  const lines = [HEAD, HEAD.map(() => "---"), ...all.values()].map((cells) => `| ${cells.join(" | ")} |`);
  return `${document.slice(0, from)}${BEGIN}\n\n${lines.join("\n")}\n\n${document.slice(to)}`;
}

/** Writes the rows into a Markdown file, formatted as the checks want it. */
export async function writeRows(file: string, rows: readonly Row[]): Promise<void> {
  const document = withRows(await readFile(file, "utf8"), rows);
  await writeFile(file, await format(document, { ...(await resolveConfig(file)), filepath: file }));
}
