import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_DISCARD_MS, SMALL_BODY_BYTES } from "../../../shared/limits/gates.ts";
import { MAX_DISCARDED_BODY_BYTES } from "../../../shared/limits/limits.ts";
import type { Lease } from "../gate/gate.ts";
import { BodyPace } from "./pace.ts";

/** Bytes asked for in one read. */
const READ_BYTES = 256 * 1024;

/**
 * The body in one buffer, read straight into its place: at the limit of 24 MiB a second copy would be a fifth of the
 * isolate. Kept is what fits the cap, whatever `content-length` says. What is beyond is read and thrown away, up to a
 * second cap and for a time: many clients look for an answer only when they have sent everything, and would report a broken
 * connection instead of ours. Nothing is held meanwhile. A body that is kept keeps others waiting (`with-body.ts`), so one
 * that comes too slowly is given up (`pace.ts`).
 * @param lease the room that the body has
 * @throws FoveaError `body_too_large`, `body_too_slow`; `invalid_request` when its client leaves before its end
 */
export async function readBytes(request: Request, maxBytes: number, lease: Lease): Promise<Uint8Array<ArrayBuffer>> {
  if (request.body === null) return new Uint8Array(0);
  const said = saidLength(request);
  if (said !== null && said > MAX_DISCARDED_BODY_BYTES) throw tooLarge(maxBytes);
  const reader = request.body.getReader({ mode: "byob" });
  try {
    const kept = said !== null && said > maxBytes ? null : await fill(reader, said ?? maxBytes, lease);
    if (kept !== null) return kept;
    lease.shrinkTo(0);
    await discard(reader);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  throw tooLarge(maxBytes);
}

/** `content-length`; null when there is none or it is no number of bytes. */
export function saidLength(request: Request): number | null {
  const said = request.headers.get("content-length") ?? "";
  return /^\d+$/.test(said) ? Number(said) : null;
}

/** All of a body of at most so many bytes; null when there is more. Every read hands the one buffer over and back. */
async function fill(
  reader: ReadableStreamBYOBReader,
  most: number,
  { isPressed }: Lease,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const pace = new BodyPace(isPressed);
  // One byte more than said or allowed: the read that finds the end needs room, and fills it when there is more.
  let buffer = new ArrayBuffer(most + 1);
  let length = 0;
  while (length <= most) {
    const room = new Uint8Array(buffer, length, Math.min(READ_BYTES, most + 1 - length));
    const { value, done } = await pace.inTime(reader.read(room).catch(brokenOff), length);
    if (value !== undefined) {
      buffer = value.buffer;
      length += value.byteLength;
    }
    if (done) return trimmed(new Uint8Array(buffer, 0, length));
  }
  return null;
}

/** A body whose length nobody said lies in a buffer for the largest; a copy is made only where two fit beside each other. */
function trimmed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return byteLength <= buffer.byteLength / 4 ? new Uint8Array(buffer.transfer(byteLength)) : bytes;
}

/** Reads what comes until the end, the second cap or the time is reached, in the memory of a body that counts for nothing. */
async function discard(reader: ReadableStreamBYOBReader): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const end = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), MAX_DISCARD_MS);
  });
  try {
    let scratch = new ArrayBuffer(SMALL_BODY_BYTES);
    for (let left = MAX_DISCARDED_BODY_BYTES; left > 0;) {
      const reading = reader.read(new Uint8Array(scratch));
      reading.catch(() => undefined);
      const read = await Promise.race([reading, end]);
      if (read?.value === undefined || read.done) return;
      scratch = read.value.buffer;
      left -= read.value.byteLength;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Nobody hears it, and no alarm is raised. */
function brokenOff(cause: unknown): never {
  throw new FoveaError("invalid_request", "The request body broke off.", { cause });
}

function tooLarge(maxBytes: number): FoveaError {
  const mib = maxBytes / 1024 / 1024;
  return new FoveaError("body_too_large", `The request body is larger than ${mib} MiB. Send fewer or smaller images.`);
}
