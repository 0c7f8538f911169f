import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_REQUEST_TEXT_BYTES } from "../../../shared/limits/limits.ts";
import { decodeBase64InPlace } from "./base64.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** `"url":` in front of a string, and the beginning of a data URI of a picture with base64 (RFC 2397), parameters and all. */
const URL_MEMBER = /"url"\s*:\s*$/;
const DATA_URI = /^data:image\\?\/[a-z0-9.+-]{1,40}(?:;[a-z0-9.+-]{1,32}=[a-z0-9.+_-]{0,32}){0,2};base64,/i;

/** Bytes that are looked at for the two patterns: white space included, more is nobody's JSON. */
const BEFORE_BYTES = 32;
const PREFIX_BYTES = 200;

/** A picture that was lifted out of the body; null where the base64 was none. */
export type LiftedImage = Uint8Array<ArrayBuffer> | null;

export interface LiftedBody {
  /** The JSON text, with `stand-in + number` where a data URI stood. */
  readonly text: string;
  readonly images: readonly LiftedImage[];
  /** Random, so that no string of a client can pass for one. */
  readonly standIn: string;
}

/**
 * Takes the pictures out of a JSON body before it becomes a string: each `"url": "data:image/...;base64,..."` is decoded
 * in its place in the body's own buffer, and the text gets a short stand-in. A body of 24 MiB so needs 24 MiB, and not
 * also its text, the parsed strings and the decoded files.
 *
 * Strings are told apart by their quotes alone, which is sound for any JSON; what is no JSON is found by the parser.
 * @throws TypeError when what is left is not UTF-8
 * @throws FoveaError `body_too_large` when what is left is too much to parse
 */
export function liftImages(body: Uint8Array<ArrayBuffer>): LiftedBody {
  const standIn = `lifted:${crypto.randomUUID()}:`;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const images: LiftedImage[] = [];
  let text = "";
  let done = 0;
  let room = MAX_REQUEST_TEXT_BYTES;
  const takeText = (end: number): string => {
    room -= end - done;
    if (room < 0) throw new FoveaError("body_too_large", "The request has too much text. Send a shorter one.");
    return decoder.decode(body.subarray(done, end), { stream: end < body.length });
  };
  for (let open = body.indexOf(QUOTE); open !== -1;) {
    const close = closingQuote(body, open + 1);
    if (close === -1) break;
    const prefix = DATA_URI.exec(ascii(body, open + 1, Math.min(close, open + 1 + PREFIX_BYTES)))?.[0];
    if (prefix !== undefined && URL_MEMBER.test(ascii(body, Math.max(0, open - BEFORE_BYTES), open))) {
      text += `${takeText(open + 1)}${standIn}${images.length}`;
      const start = open + 1 + prefix.length;
      const length = decodeBase64InPlace(body, start, close);
      images.push(length === -1 ? null : body.subarray(start, start + length));
      done = close;
    }
    open = body.indexOf(QUOTE, close + 1);
  }
  text += takeText(body.length);
  return { text, images, standIn };
}

/** The quote that ends a string: the first one with an even number of backslashes in front. */
function closingQuote(body: Uint8Array, from: number): number {
  for (let at = body.indexOf(QUOTE, from); at !== -1; at = body.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (at - 1 - backslashes >= from && body[at - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return -1;
}

function ascii(body: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...body.subarray(start, end));
}
