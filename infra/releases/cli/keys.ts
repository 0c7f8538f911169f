import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Trust } from "../../../shared/releases/dsse.ts";
import { importPrivateKey, importPublicKey, type SigningKey } from "../../../shared/releases/ecdsa.ts";
import { type StoreArgs } from "./args.ts";
import { UsageError } from "../../usage.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Whose signatures count: `--trust`, else `FOVEA_TRUSTED_KEYS`, both paths with commas between. Without any, only
 * `--unsigned` or the local store goes on, so that nobody forgets it against production.
 */
export async function readTrust(args: StoreArgs, env: Env): Promise<Trust> {
  if (isUnsigned(args)) return "unsigned";
  const paths = (args.trust ?? env["FOVEA_TRUSTED_KEYS"] ?? "").split(",").filter((path) => path !== "");
  if (paths.length === 0) {
    if (args.store === undefined) return "unsigned";
    throw new UsageError("whose signatures count? Give --trust pub.pem (or FOVEA_TRUSTED_KEYS), or --unsigned");
  }
  return Promise.all(paths.map(async (path) => importPublicKey(await readPem(path))));
}

/** What signs: `--key`, else `FOVEA_SIGNING_KEY`, a path; null without signatures. */
export async function readSigningKey(args: StoreArgs, env: Env): Promise<SigningKey | null> {
  const path = args.key ?? env["FOVEA_SIGNING_KEY"];
  if (path !== undefined && args.unsigned !== true) return importPrivateKey(toPkcs8(await readPem(path), path));
  if (isUnsigned(args) || args.store === undefined) return null;
  throw new UsageError("nothing to sign with: give --key key.pem (or FOVEA_SIGNING_KEY), or --unsigned");
}

function isUnsigned(args: StoreArgs): boolean {
  if (args.unsigned === true && (args.key !== undefined || args.trust !== undefined)) {
    throw new UsageError("--unsigned goes with neither --key nor --trust");
  }
  return args.unsigned === true;
}

async function readPem(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new UsageError(`the key ${path} cannot be read`, { cause });
  });
}

/** `openssl ecparam -genkey` writes SEC 1, Web Crypto reads PKCS #8. */
function toPkcs8(pem: string, path: string): string {
  try {
    return createPrivateKey(pem).export({ type: "pkcs8", format: "pem" }).toString();
  } catch (cause) {
    throw new UsageError(`${path} holds no private key in PEM`, { cause });
  }
}
