import { styleText } from "node:util";
import type { Tokenizer } from "../../../../shared/tokenizer/tokenizer.ts";

const COLOURS = ["bgBlue", "bgMagenta", "bgCyan", "bgYellow", "bgGreen"] as const;

/** Controls would move the cursor or ring the bell: they are shown as what they are. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The tokens of a text side by side, each in the next colour, then their ids. Without colours there is a bar between. */
export function paintPieces(tokenizer: Tokenizer, text: string, colour: boolean): string {
  const { ids } = tokenizer.encode(text);
  const pieces = Array.from(ids, (id) => visible(tokenizer.idToToken(id) ?? ""));
  const painted = colour
    ? pieces
        .map((piece, i) =>
          styleText(["black", COLOURS[i % COLOURS.length] ?? "bgBlue"], piece, { validateStream: false }),
        )
        .join("")
    : pieces.join("|");
  return `${painted}\n${ids.join(" ")}\n${ids.length} tokens\n`;
}
