import { FoveaError } from "../../../shared/errors/error.ts";
import { BODY_GRACE_MS, MAX_BODY_SILENCE_MS, MIN_BODY_BYTES_PER_MS } from "../../../shared/limits/gates.ts";
import { MAX_DISCARDED_BODY_BYTES } from "../../../shared/limits/limits.ts";

/** Bytes asked for in one read. */
const READ_BYTES = 256 * 1024;

/**
 * The body in one buffer, read straight into its place: at the limit of 24 MiB a second copy would be a fifth of the
 * isolate. Kept is what fits the cap, whatever `content-length` says. What is beyond is read and thrown away, up to a
 * second cap: many clients look for an answer only when they have sent everything, and would report a broken connection
 * instead of ours. A body keeps others waiting (`with-body.ts`), so one that hardly comes is given up.
 * @throws FoveaError `body_too_large`, `body_too_slow`
 */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (request.body === null) return new Uint8Array(0);
  const said = Number(request.headers.get("content-length") ?? Number.NaN);
  if (said > MAX_DISCARDED_BODY_BYTES) throw tooLarge(maxBytes);
  // One byte more than said or allowed: the read that finds the end needs room, and fills it when there is more.
  const capacity = said <= maxBytes ? said + 1 : maxBytes + 1;
  const reader = request.body.getReader({ mode: "byob" });
  try {
    const bytes = await fill(reader, capacity);
    if (bytes.byteLength < capacity) return trimmed(bytes);
    await discard(reader, MAX_DISCARDED_BODY_BYTES - bytes.byteLength);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  throw tooLarge(maxBytes);
}

/** A body whose length nobody said lies in a buffer for the largest; a copy is made only where two fit beside each other. */
function trimmed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return byteLength <= buffer.byteLength / 4 ? new Uint8Array(buffer.transfer(byteLength)) : bytes;
}

/** Reads until the end or until `capacity` bytes are there. Every read hands the one buffer over and back. */
async function fill(reader: ReadableStreamBYOBReader, capacity: number): Promise<Uint8Array<ArrayBuffer>> {
  const started = performance.now();
  let buffer = new ArrayBuffer(capacity);
  let length = 0;
  while (length < capacity) {
    const room = new Uint8Array(buffer, length, Math.min(READ_BYTES, capacity - length));
    const { value, done } = await inTime(reader.read(room), started, length);
    if (value !== undefined) {
      buffer = value.buffer;
      length += value.byteLength;
    }
    if (done) break;
  }
  return new Uint8Array(buffer, 0, length);
}

async function discard(reader: ReadableStreamBYOBReader, maxBytes: number): Promise<void> {
  const started = performance.now();
  let scratch = new ArrayBuffer(READ_BYTES);
  for (let left = maxBytes; left > 0;) {
    const { value, done } = await inTime(reader.read(new Uint8Array(scratch)), started, maxBytes - left);
    if (done || value === undefined) return;
    scratch = value.buffer;
    left -= value.byteLength;
  }
}

/** The next bytes, unless the sender is silent or has been too slow since `started` (milliseconds). */
async function inTime<T>(read: Promise<T>, started: number, length: number): Promise<T> {
  const allowed = BODY_GRACE_MS + length / MIN_BODY_BYTES_PER_MS - (performance.now() - started);
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    const tooSlow = (): void =>
      reject(new FoveaError("body_too_slow", "The request body comes too slowly. Send smaller images, or try again."));
    timer = setTimeout(tooSlow, Math.min(MAX_BODY_SILENCE_MS, Math.max(0, allowed)));
  });
  try {
    return await Promise.race([read, late]);
  } finally {
    clearTimeout(timer);
    // Whichever lost the race is nobody's business any more
    read.catch(() => undefined);
  }
}

function tooLarge(maxBytes: number): FoveaError {
  const mib = maxBytes / 1024 / 1024;
  return new FoveaError("body_too_large", `The request body is larger than ${mib} MiB. Send fewer or smaller images.`);
}
