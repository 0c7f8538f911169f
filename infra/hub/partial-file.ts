import { constants } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import type { HubFile } from "./file-transfer.ts";
import { HubError } from "./hub-error.ts";

/** Windows knows no O_NOFOLLOW: undefined, which counts as 0 here. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * Opens what has come of a file, or begins it. A symbolic link in its place goes, and what it leads to stays: its bytes would be
 * overwritten, and none of ours is one.
 */
export async function openPartial(file: string): Promise<FileHandle> {
  try {
    return await open(file, FLAGS);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ELOOP")) throw thrown;
    await rm(file);
    return open(file, FLAGS);
  }
}

/** @throws HubError `disk`, which says when the disk is full */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  at: number,
  { path }: Pick<HubFile, "path">,
): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) {
      written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
    }
  } catch (cause) {
    const full = cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT");
    const what = full ? "the disk is full" : `writing failed (${cause instanceof Error ? cause.message : "?"})`;
    throw new HubError("disk", `${what} at ${path}; mend it, and the same command goes on where it stopped`, { cause });
  }
}
