import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectSource } from "./s3-source.ts";

/** A folder laid out like the bucket, as `fovea publish --store file:PATH` writes it. */
export function fileSource(root: string): ObjectSource {
  return {
    async read(key, offset, signal) {
      const handle = await open(join(root, ...key.split("/")), "r").catch((thrown: unknown) => {
        if (isMissing(thrown)) return null;
        throw thrown;
      });
      return handle === null ? null : createReadStream("", { fd: handle, start: offset, signal });
    },
  };
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
}
