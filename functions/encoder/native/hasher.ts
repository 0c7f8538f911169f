import type { Hasher } from "../../../shared/encoder/program/load.ts";

/** sha256 of a shard while it streams by: workerd's `crypto.DigestStream`, which keeps no copy. */
export function createDigestHasher(): Hasher {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  return {
    update: (chunk) => writer.write(chunk),
    hex: async () => {
      await writer.close();
      return Array.from(new Uint8Array(await stream.digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    },
  };
}
