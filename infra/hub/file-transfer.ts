import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm, stat, type FileHandle } from "node:fs/promises";
import { HubError } from "./hub-error.ts";
import type { HubHttp } from "./hub-http.ts";
import { openPartial, writeAt } from "./partial-file.ts";
import { pieces } from "./pieces.ts";

/** A file of a repository, as its listing names it. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** sha256 of the content for a file in large-file storage, else the git blob's sha1; names the file in the cache. */
  readonly oid: string;
}

/** Whether the file holds what its name in the cache says. Reads it from disk: nothing is used that was not checked. */
export async function holds(file: string, { size, oid }: Pick<HubFile, "size" | "oid">): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  if (found?.size !== size) return false;
  const hash = createHash(oid.length === 64 ? "sha256" : "sha1");
  if (oid.length === 40) hash.update(`blob ${size}\0`);
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  return hash.digest("hex") === oid;
}

/**
 * Fetches a file to `target`, which appears whole or not at all: the bytes gather in `target.incomplete`, where a killed
 * process left off, and take their name when their hash is right. A wrong hash is given one more chance, from nothing.
 * @param onBytes told of each piece, and of those that were there already
 * @throws HubError, or the reason of the signal
 */
export async function fetchFile(
  http: HubHttp,
  url: URL,
  {
    file,
    target,
    onBytes,
  }: { readonly file: HubFile; readonly target: string; readonly onBytes: (bytes: number) => void },
): Promise<void> {
  const partial = `${target}.incomplete`;
  for (let chances = 2; ;) {
    await fill(http, url, file, partial, onBytes);
    if (await holds(partial, file)) break;
    chances -= 1;
    onBytes(-file.size);
    await rm(partial, { force: true });
    if (chances === 0) {
      throw new HubError(
        "wrong_hash",
        `${file.path} arrived twice with another hash than the hub's listing has; it was not kept`,
      );
    }
  }
  await rename(partial, target);
}

async function fill(
  http: HubHttp,
  url: URL,
  file: HubFile,
  partial: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const handle = await openPartial(partial);
  try {
    let at = (await handle.stat()).size;
    if (at > file.size) {
      await handle.truncate(0);
      at = 0;
    }
    onBytes(at);
    const moved = (next: number): void => {
      onBytes(next - at);
      at = next;
    };
    for (let attempt = 1; at < file.size; attempt++) {
      const before = at;
      try {
        await append(http, url, { file, handle, offset: at, moved });
      } catch (thrown) {
        if (at > before) attempt = 1;
        await http.pause(thrown, attempt);
      }
    }
  } finally {
    await handle.close();
  }
}

interface Appending {
  readonly file: HubFile;
  readonly handle: FileHandle;
  readonly offset: number;
  /** Told where the file's good bytes end now. */
  readonly moved: (at: number) => void;
}

/** One answer's bytes, from `offset` on, or from the start when the server knows no ranges. */
async function append(http: HubHttp, url: URL, { file, handle, offset, moved }: Appending): Promise<void> {
  const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const { response, etag, alive, done, signal } = await http.open(url, headers, "anywhere");
  try {
    let at = startOf(response, offset);
    if (at !== offset) {
      await handle.truncate(0);
      moved(0);
    }
    if (at === null) {
      await response.body?.cancel();
      throw new Error("the server did not accept the range");
    }
    checkAnswer(response, etag, file);
    for await (const part of pieces(response.body, signal)) {
      alive();
      if (at + part.length > file.size) throw changed(file, "is longer than the listing says");
      await writeAt(handle, part, at, file);
      at += part.length;
      moved(at);
    }
    if (at < file.size) throw new Error(`${file.path} ended after ${at} of ${file.size} bytes`);
  } finally {
    done();
  }
}

/** Where an answer's bytes begin; null when that is not where they were asked for. */
function startOf({ status, headers }: Response, asked: number): number | null {
  if (status === 200) return 0;
  const [, from] = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "") ?? [];
  return status === 206 && Number(from) === asked ? asked : null;
}

/** The listing is of one commit, so another size or hash means that the hub serves something else under it. */
function checkAnswer({ status, headers }: Response, etag: string | null, file: HubFile): void {
  const total = status === 206 ? headers.get("content-range")?.split("/")[1] : headers.get("content-length");
  if (total !== undefined && total !== null && total !== "*" && Number(total) !== file.size) {
    throw changed(file, `has ${total} bytes, ${file.size} in the listing`);
  }
  const hash = /^(?:W\/)?"?([0-9a-f]{40}|[0-9a-f]{64})"?$/.exec(etag ?? "")?.[1];
  if (hash?.length === file.oid.length && hash !== file.oid)
    throw changed(file, "has another etag than the listing says");
}

function changed({ path }: HubFile, how: string): HubError {
  return new HubError("changed", `${path} ${how}: it changed at the hub; run the command again`);
}
