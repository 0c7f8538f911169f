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

/** A body that was read. */
export interface HeldBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Gives its memory back: all views on it, so the files of pictures, are of length 0 from then on. The collector may take
   * its time; the next request may not.
   */
  readonly letGo: () => void;
}

/**
 * Reads the body when there is room for it. What it holds of the room is what its buffer takes, from the moment that it is
 * read until the job lets it go or ends.
 *
 * @throws FoveaError `body_too_large`, `body_too_slow`, `overloaded`
 */
export function withBody<T>(request: Request, job: (body: HeldBody) => Promise<T>): Promise<T> {
  const said = Number(request.headers.get("content-length") ?? Number.NaN);
  // Whoever does not say how much comes may send the most; what is too large is thrown away as it comes
  return bodyGate.run(unitsOf(said <= MAX_REQUEST_BODY_BYTES ? said : MAX_REQUEST_BODY_BYTES), async (lease) => {
    const bytes = await readBytes(request, MAX_REQUEST_BODY_BYTES);
    lease.shrinkTo(unitsOf(bytes.buffer.byteLength));
    const letGo = (): void => {
      if (!bytes.buffer.detached) bytes.buffer.transfer(0);
      lease.shrinkTo(0);
    };
    try {
      return await job({ bytes, letGo });
    } finally {
      letGo();
    }
  });
}

/** Room that a body of so many bytes takes. */
function unitsOf(bytes: number): number {
  return bytes <= SMALL_BODY_BYTES ? 0 : bytes;
}
