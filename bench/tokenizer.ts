import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileTokenizer } from "../shared/tokenizer/compile/compile.ts";
import { fetchSource, type Source, SOURCES } from "../test/tokenizer/sources.ts";
import type { Bench } from "./bench.ts";
import { ADVERSARIAL, LONG_TEXT, SHORT_TEXTS } from "./tokenizer/inputs.ts";
import type { Figures } from "./tokenizer/measure.ts";
import { measureInWorkerd } from "./tokenizer/workerd.ts";

/** Peers that the repository itself has no use for: installed beside the vocabularies, in a temporary folder. */
const PEERS = ["gpt-tokenizer@4.0.0", "tiktoken@1.0.22", "kitoken@0.10.1"];

const CACHE = join(tmpdir(), "fovea-tokenizers");

const PLAN: Readonly<Record<string, readonly string[]>> = {
  qwen3: ["fovea in workerd", "fovea", "@huggingface/tokenizers", "kitoken", "Rust tokenizers"],
  gpt4o: [
    "fovea in workerd",
    "fovea",
    "@huggingface/tokenizers",
    "gpt-tokenizer",
    "tiktoken",
    "kitoken",
    "Rust tokenizers",
  ],
};

/** Load, memory, speed and worst cases, each contender in a process of its own, one after the other. */
export const bench: Bench = {
  name: "tokenizer",
  title: "Tokenizers: load, memory, speed and worst cases, side by side",
  usage: `[${Object.keys(PLAN).join(" | ")}]...`,
  allows: new RegExp(`^(?:${Object.keys(PLAN).join("|")})$`),
  async run({ args }) {
    mkdirSync(CACHE, { recursive: true });
    const peers = installPeers();
    const inputs = join(CACHE, "inputs.json");
    const adversarial = Object.entries(ADVERSARIAL).map(([name, make]) => [name, [make(16_000), make(64_000)]]);
    writeFileSync(
      inputs,
      JSON.stringify({ long: LONG_TEXT, short: SHORT_TEXTS, adversarial: Object.fromEntries(adversarial) as object }),
    );
    const rows: (readonly (string | number)[])[] = [];
    for (const [vocabulary, contenders] of Object.entries(PLAN)) {
      if (args.length > 0 && !args.includes(vocabulary)) continue;
      const source = SOURCES.find(({ name }) => name === vocabulary);
      if (source === undefined) throw new Error(`no source is called ${vocabulary}`);
      const { json, compiled } = compile(source);
      for (const contender of contenders) {
        const figures = await figuresOf(contender, json, compiled, peers, inputs);
        rows.push([vocabulary, contender, ...(figures instanceof Error ? [figures.message] : cells(figures))]);
      }
    }
    return {
      columns: [
        "vocabulary",
        "tokenizer",
        "load ms",
        "MB",
        "long MB/s",
        "short MB/s",
        "64k / 16k",
        "worst 64k ms",
        "tokens",
      ],
      rows,
      notes: [
        "Long: 200,000 characters of English, code and other scripts; short: 2,000 texts of 20 to 120 characters. Best of several.",
        "64k / 16k: the largest ratio of 12 adversarial inputs; 4 is linear. MB: heap, buffers and wasm after loading and a collection.",
        "fovea loads its compiled file (counted in MB); the others parse their own files. Rust's MB are resident memory.",
        "Tokens differ where a contender is not exact, or joins control tokens otherwise.",
      ],
    };
  },
};

function installPeers(): string {
  const folder = join(CACHE, "peers");
  if (!existsSync(join(folder, "node_modules", "kitoken"))) {
    mkdirSync(folder, { recursive: true });
    execFileSync(
      "npm",
      ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", ".", ...PEERS],
      {
        cwd: folder,
      },
    );
  }
  return folder;
}

function compile(source: Source): { readonly json: string; readonly compiled: string } {
  const json = join(fetchSource(source, CACHE), "tokenizer.json");
  const compiled = join(CACHE, `${source.name}.bin`);
  writeFileSync(compiled, compileTokenizer(JSON.parse(readFileSync(json, "utf8"))));
  return { json, compiled };
}

async function figuresOf(
  contender: string,
  json: string,
  compiled: string,
  peers: string,
  inputs: string,
): Promise<Figures | Error> {
  const folder = join(import.meta.dirname, "tokenizer");
  try {
    if (contender === "fovea in workerd") return await measureInWorkerd(compiled);
    const output =
      contender === "Rust tokenizers"
        ? execFileSync(process.env["PYTHON"] ?? "python3", [join(folder, "rust.py"), json, inputs])
        : execFileSync(process.execPath, [join(folder, "contender.ts"), contender, json, compiled, peers], {
            stdio: ["ignore", "pipe", "ignore"],
          });
    return JSON.parse(output.toString()) as Figures;
  } catch (error) {
    return new Error(`did not run: ${String(error).split("\n")[0] ?? ""}`);
  }
}

function cells(figures: Figures): (string | number)[] {
  const round = (value: number, digits: number): number => Number(value.toFixed(digits));
  return [
    round(figures.load, 1),
    round(figures.heap, 1),
    round(figures.long, 1),
    round(figures.short, 1),
    Number.isFinite(figures.ratio)
      ? `${figures.ratio.toFixed(1)} (${figures.ratioOf})`
      : `never ended (${figures.ratioOf})`,
    Number.isFinite(figures.worst) ? `${figures.worst.toFixed(1)} (${figures.worstOf})` : "-",
    figures.tokens,
  ];
}
