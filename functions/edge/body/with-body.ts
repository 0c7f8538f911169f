import {
  MAX_GATE_WAIT_MS,
  MAX_HELD_BODY_BYTES,
  MAX_WAITING_BODIES,
  SMALL_BODY_BYTES,
} from "../../../shared/limits/gates.ts";
import { MAX_REQUEST_BODY_BYTES } from "../../../shared/limits/limits.ts";
import { Gate } from "../gate/gate.ts";
import { readBytes } from "./read-bytes.ts";

const bodyGate = new Gate({
  capacity: MAX_HELD_BODY_BYTES,
  maxWaiting: MAX_WAITING_BODIES,
  maxWaitMs: MAX_GATE_WAIT_MS,
  message: "Other requests are being read. Try again shortly.",
});

/**
 * Reads the body when there is room for it, and gives its memory back when the job is done: all views on it, so the files
 * of pictures, are of length 0 then. The collector may take its time; the next request may not.
 *
 * @throws FoveaError `body_too_large`, `overloaded`
 */
export function withBody<T>(request: Request, job: (body: Uint8Array<ArrayBuffer>) => Promise<T>): Promise<T> {
  const said = Number(request.headers.get("content-length") ?? Number.NaN);
  // Whoever does not say how much comes may send the most; what is too large is thrown away as it comes
  const units = said <= SMALL_BODY_BYTES ? 0 : said <= MAX_REQUEST_BODY_BYTES ? said : MAX_REQUEST_BODY_BYTES;
  return bodyGate.run(units, async () => {
    const body = await readBytes(request, MAX_REQUEST_BODY_BYTES);
    try {
      return await job(body);
    } finally {
      body.buffer.transfer(0);
    }
  });
}
