import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { defineCommand } from "citty";
import { compileTokenizer } from "../../../shared/tokenizer/compile/compile.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { UsageError } from "../../usage.ts";
import { readJsonFile } from "./read-json.ts";
import { tokensLine } from "./tokens/line.ts";
import { paintPieces } from "./tokens/pieces.ts";

/** `fovea inspect tokens`: what the compiled form of a tokenizer makes of texts. */
export const inspectTokens = defineCommand({
  meta: { name: "tokens", description: "Show the tokens of texts, by the tokenizer that the edge runs" },
  args: {
    tokenizer: { type: "string", required: true, description: "a tokenizer.json", valueHint: "FILE" },
    in: { type: "string", description: 'lines of {"text": ...}; - is standard input', valueHint: "FILE" },
    text: { type: "string", description: "one text" },
    json: { type: "boolean", description: 'print {"ids", "decoded"} for each text, one a line' },
  },
  async run({ args }) {
    const json = await readJsonFile("tokenizer", args.tokenizer);
    const tokenizer = Tokenizer.load(compileTokenizer(json, await readConfig(args.tokenizer)));
    if (args.text !== undefined) {
      await write(
        args.json
          ? `${JSON.stringify(tokensLine(tokenizer, JSON.stringify({ text: args.text }), 1))}\n`
          : paintPieces(tokenizer, args.text, process.stdout.isTTY && process.env["NO_COLOR"] === undefined),
      );
      return;
    }
    if (args.in === undefined) throw new UsageError("Name a file with --in, or a text with --text.");
    const input = args.in === "-" ? process.stdin : await openLines(args.in);
    let number = 0;
    let failed = false;
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number++;
      if (line === "") continue;
      const answer = tokensLine(tokenizer, line, number);
      failed ||= "error" in answer;
      await write(`${JSON.stringify(answer)}\n`);
    }
    if (failed) process.exitCode = 1;
  },
});

/** tokenizer_config.json beside the file, when there is one. */
function readConfig(path: string): Promise<unknown> {
  return readJsonFile("tokenizer", join(dirname(path), "tokenizer_config.json")).catch(() => undefined);
}

/** Opened before it is read: a stream says of a file that is none only what nobody hears. */
async function openLines(file: string): Promise<Readable> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new UsageError(`--in takes a file, and ${file} cannot be read`, { cause });
  });
  if (!(await handle.stat()).isDirectory()) return handle.createReadStream();
  await handle.close();
  throw new UsageError(`--in takes a file, and ${file} is a folder`);
}

/** Waits while the pipe is full: a run of a million lines stays small. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}
