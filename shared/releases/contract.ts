import { FoveaError } from "../errors/error.ts";
import type { Release } from "./schema.ts";

/** What a frame says it was made by. */
export interface FrameContract {
  readonly releaseDigest: string;
  readonly contractId: string;
}

/**
 * At the origin, before a row of the frame is used: the release that will decode must be the one that the frame names, and
 * its contract the frame's. Width alone proves nothing: another encoder's rows fit just as well and mean something else.
 * Throws FoveaError 409 `contract_mismatch`.
 */
export function checkContract(
  frame: FrameContract,
  served: { readonly digest: string; readonly release: Release },
): void {
  if (frame.releaseDigest !== served.digest || frame.contractId !== served.release.contractId) {
    const message = "The frame was made for another release than the one that would decode it. Take the release anew.";
    throw new FoveaError("contract_mismatch", message);
  }
}
