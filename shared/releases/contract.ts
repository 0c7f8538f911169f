import { FoveaError } from "../errors/error.ts";
import type { Release } from "./schema.ts";

/**
 * At the origin, before a row of a frame is used: the release that will decode must have the contract that the frame was
 * made under. Width alone proves nothing: another encoder's rows fit just as well and mean something else.
 * Throws FoveaError 409 `contract_mismatch`.
 */
export function checkContract(contractId: string, release: Release): void {
  if (contractId !== release.contractId) {
    throw new FoveaError("contract_mismatch", "The features were made for another backbone. Load the release anew.");
  }
}
