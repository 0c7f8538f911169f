import type { Trust } from "./dsse.ts";
import { importPublicKey } from "./ecdsa.ts";

const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/**
 * Whose signatures a process accepts, from its setting `TRUSTED_KEYS`: public keys in PEM, one after another. Only the
 * local stage may go without.
 * @throws TypeError when a deployed stage has none, or one is no P-256 key
 */
export async function readTrust(stage: string, pems: string | undefined): Promise<Trust> {
  const found = (pems ?? "").match(PEM) ?? [];
  if (found.length > 0) return Promise.all(found.map((pem) => importPublicKey(pem)));
  if (stage === "local") return "unsigned";
  throw new TypeError("TRUSTED_KEYS names no public key.");
}
