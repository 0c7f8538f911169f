import {
  MAX_GATE_WAIT_MS,
  MAX_HELD_BODY_BYTES,
  MAX_WAITING_BODIES,
  MAX_WAITING_BODIES_OF_ONE,
  SMALL_BODY_BYTES,
} from "../../../shared/limits/gates.ts";
import { MAX_REQUEST_BODY_BYTES } from "../../../shared/limits/limits.ts";
import { Gate, type Lease } from "../gate/gate.ts";
import { readBytes, saidLength } from "./read-bytes.ts";

const bodyGate = new Gate({
  capacity: MAX_HELD_BODY_BYTES,
  maxWaiting: MAX_WAITING_BODIES,
  maxWaitingOfOne: MAX_WAITING_BODIES_OF_ONE,
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
 * @param owner whose body it is: owners share the room
 * @throws FoveaError `body_too_large`, `body_too_slow`, `overloaded`
 */
export function withBody<T>(request: Request, owner: string, job: (body: HeldBody) => Promise<T>): Promise<T> {
  // Whoever does not say how much comes may send the most; what is said to be too large is never held
  const said = saidLength(request) ?? MAX_REQUEST_BODY_BYTES;
  const units = said > MAX_REQUEST_BODY_BYTES ? 0 : unitsOf(said);
  const read = async (lease: Lease): Promise<T> => {
    const bytes = await readBytes(request, MAX_REQUEST_BODY_BYTES, lease);
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
  };
  return bodyGate.run(units, read, owner);
}

/** Room that a body of so many bytes takes. */
function unitsOf(bytes: number): number {
  return bytes <= SMALL_BODY_BYTES ? 0 : bytes;
}
