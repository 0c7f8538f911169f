import { readdir } from "node:fs/promises";
import { cpus } from "node:os";
import path from "node:path";
import type { Bench, Table } from "./bench.ts";

/** `npm run bench -- NAME [--json]`: one file of this folder a bench, each run alone and by anyone. */
const [name, ...args] = process.argv.slice(2);
const names = await benchNames();
if (name === undefined || !names.includes(name)) {
  console.log(`npm run bench -- NAME [--json]\n\n  ${names.join("\n  ")}`);
  process.exit(name === undefined || name === "--help" ? 0 : 2);
}
const { bench } = (await import(path.join(import.meta.dirname, `${name}.ts`))) as { bench: Bench };
const json = args.includes("--json");
const words = args.filter((arg) => arg !== "--json");
const unknown = words.find((word) => !(bench.allows ?? /(?!)/).test(word));
if (words.includes("--help") || unknown !== undefined) {
  const help = `${bench.title}\n\nnpm run bench -- ${[name, bench.usage ?? "", "[--json]"].filter(Boolean).join(" ")}`;
  if (words.includes("--help")) console.log(help);
  else console.error(`${name} does not know ${unknown}.\n\n${help}`);
  process.exit(words.includes("--help") ? 0 : 2);
}
if (!json) console.log(`${bench.title}\n${machine()}\n`);
const table = await bench.run({ args: words }).catch((error: unknown) => {
  console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
console.log(json ? JSON.stringify({ bench: bench.name, machine: machine(), ...table }) : render(table));
for (const what of table.over ?? []) console.error(`OVER: ${what}`);
process.exit(table.over === undefined || table.over.length === 0 ? 0 : 1);

async function benchNames(): Promise<string[]> {
  const files = await readdir(import.meta.dirname);
  return files
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "bench.ts" && file !== "run.ts")
    .map((file) => file.slice(0, -".ts".length));
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} x ${first?.model.trim() ?? "?"}, Node ${process.version}, ${process.platform}-${process.arch}`;
}

function render({ columns, rows, notes = [] }: Table): string {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const lines = cells.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "),
  );
  return [lines[0], widths.map((width) => "-".repeat(width)).join("  "), ...lines.slice(1), "", ...notes].join("\n");
}
