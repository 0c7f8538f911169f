/** One contender in a process of its own: `contender.ts NAME TOKENIZER_JSON COMPILED PEERS` prints its figures as JSON. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { measure } from "./measure.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const [name = "", tokenizerJson = "", compiled = "", peers = ""] = process.argv.slice(2);
const fromPeers = createRequire(join(peers, "package.json"));

type Encode = (text: string) => ArrayLike<number>;

/** Each reads its own form of the vocabulary; what it reads from disk is read before the clock starts. */
const CONTENDERS: Readonly<Record<string, () => Promise<() => Promise<Encode>>>> = {
  fovea: async () => {
    const { Tokenizer } = await import("../../shared/tokenizer/tokenizer.ts");
    const bytes = new Uint8Array(readFileSync(compiled));
    return async () => {
      const tokenizer = Tokenizer.load(bytes);
      return (text) => tokenizer.encode(text).ids;
    };
  },
  "@huggingface/tokenizers": async () => {
    const { Tokenizer } = await import("@huggingface/tokenizers");
    const json = readFileSync(tokenizerJson, "utf8");
    const config = readFileSync(join(dirname(tokenizerJson), "tokenizer_config.json"), "utf8");
    return async () => {
      const tokenizer = new Tokenizer(JSON.parse(json) as object, JSON.parse(config) as object);
      return (text) => tokenizer.encode(text).ids;
    };
  },
  // These two hold their vocabulary in a module, so that to import it is to load it.
  "gpt-tokenizer": async () => async () => {
    const module = fromPeers("gpt-tokenizer/encoding/o200k_base") as {
      encode: (text: string, options: object) => number[];
    };
    const options = { disallowedSpecial: new Set<string>() };
    return (text) => module.encode(text, options);
  },
  tiktoken: async () => async () => {
    const { Tiktoken } = fromPeers("tiktoken/lite") as {
      Tiktoken: new (...parts: unknown[]) => { encode_ordinary: Encode };
    };
    const ranks = fromPeers("tiktoken/encoders/o200k_base.json") as Record<string, unknown>;
    const encoding = new Tiktoken(ranks["bpe_ranks"], ranks["special_tokens"], ranks["pat_str"]);
    return (text) => encoding.encode_ordinary(text);
  },
  kitoken: async () => {
    const { Kitoken } = fromPeers("kitoken/node") as {
      Kitoken: { from_tokenizers: (bytes: Uint8Array) => { encode: (text: string, specials: boolean) => Uint32Array } };
    };
    const bytes = readFileSync(tokenizerJson);
    return async () => {
      const encoder = Kitoken.from_tokenizers(bytes);
      return (text) => encoder.encode(text, true);
    };
  },
};

const prepare = CONTENDERS[name];
if (prepare === undefined) throw new Error(`no contender is called ${name}`);
const load = await prepare();
collect();
const before = process.memoryUsage();
const start = performance.now();
const encode = await load();
const loadMs = performance.now() - start;
encode("warm");
collect();
const after = process.memoryUsage();
// Wasm memories count as array buffers. Of ours the file is there before the clock starts, so it is added.
const own = name === "fovea" ? readFileSync(compiled).length : 0;
const heap = (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers + own) / 1e6;
const wasm = (after.external - after.arrayBuffers - (before.external - before.arrayBuffers)) / 1e6;
const figures = await measure({
  load: loadMs,
  heap: heap + Math.max(0, wasm),
  time: (texts) => {
    const begin = performance.now();
    for (const text of texts) encode(text);
    return performance.now() - begin;
  },
  tokens: (text) => encode(text).length,
});
console.log(JSON.stringify(figures));
