import type { ArgsDef } from "citty";
import { dirArg } from "../../local/running.ts";

/** Arguments of a store that is named. */
export const namedStoreArgs = {
  store: {
    type: "string",
    valueHint: "s3://bucket|file:path",
    description: "Where releases lie (default: the local store of `npm start`)",
  },
  endpoint: { type: "string", valueHint: "url", description: "S3 endpoint (default: FOVEA_S3_ENDPOINT, else AWS)" },
  trust: {
    type: "string",
    valueHint: "pub.pem[,pub2.pem]",
    description: "Public keys whose signatures count (default: FOVEA_TRUSTED_KEYS)",
  },
  unsigned: { type: "boolean", description: "Work without signatures; the default in the local store only" },
  json: { type: "boolean", description: "Print the result as JSON" },
} as const satisfies ArgsDef;

/** Arguments that every command of a store takes, the local one above all. */
export const storeArgs = { ...namedStoreArgs, dir: dirArg } as const satisfies ArgsDef;

/** And what those take that write a signed document. */
export const keyArgs = {
  key: {
    type: "string",
    valueHint: "key.pem",
    description: "P-256 private key in PEM that signs (default: FOVEA_SIGNING_KEY, a path)",
  },
} as const satisfies ArgsDef;

export interface StoreArgs {
  readonly store?: string | undefined;
  readonly dir?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly trust?: string | undefined;
  readonly unsigned?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly key?: string | undefined;
}
