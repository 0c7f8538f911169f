import { createHash } from "node:crypto";
import { BLOCK_TOKENS } from "./kv-budget.ts";
import type { GenerateRequest } from "./request.ts";

/**
 * Names of a prompt's full blocks: a hash chain, so that a name stands for everything before it too. Each link covers
 * the name before, the token ids, and for each picture that reaches into the block its hash, where it begins,
 * with which row, how many follow, and its grid, which positions depend on. The
 * chain starts at the salt: nothing is found across two salts.
 */
export function blockHashes(request: Pick<GenerateRequest, "tokenIds" | "features" | "salt">): string[] {
  const { tokenIds, features, salt } = request;
  const hashes: string[] = [];
  let previous = createHash("sha256").update(`salt ${salt.length} `).update(salt).digest();
  for (let start = 0; start + BLOCK_TOKENS <= tokenIds.length; start += BLOCK_TOKENS) {
    const link = createHash("sha256").update(previous);
    const ids = tokenIds.subarray(start, start + BLOCK_TOKENS);
    link.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
    for (const { hash, offset, length, row, gridThw } of features) {
      if (offset < start + BLOCK_TOKENS && offset + length > start)
        link.update(`feature ${hash} ${offset - start} ${row} ${length} ${gridThw?.join("x") ?? ""} `);
    }
    previous = link.digest();
    hashes.push(previous.toString("base64"));
  }
  return hashes;
}
