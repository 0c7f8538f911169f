import { open, stat } from "node:fs/promises";

/** A run of bytes of a file that will be published: from memory, or from a file on disk. */
export type Segment =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "range"; readonly path: string; readonly offset: number; readonly length: number };

/**
 * A file of the release as it will be, not yet anywhere: weights that move out of a graph are named where they lie, so a
 * file of any size costs no memory and no temporary copy.
 */
export interface PlannedFile {
  /** Path inside the release. */
  readonly name: string;
  readonly size: number;
  readonly segments: readonly Segment[];
}

export async function plannedFromDisk(name: string, path: string): Promise<PlannedFile> {
  const { size } = await stat(path);
  return { name, size, segments: [{ kind: "range", path, offset: 0, length: size }] };
}

export function plannedFromBytes(name: string, bytes: Uint8Array): PlannedFile {
  return { name, size: bytes.byteLength, segments: [{ kind: "bytes", bytes }] };
}

export function plannedFromSegments(name: string, segments: readonly Segment[]): PlannedFile {
  return { name, size: segments.reduce((sum, segment) => sum + lengthOf(segment), 0), segments };
}

/** Fills `target` with the bytes of the planned file from `offset` on. Throws when a file on disk became shorter meanwhile. */
export async function readPlanned(file: PlannedFile, offset: number, target: Uint8Array): Promise<void> {
  const { length } = target;
  let start = 0;
  for (const segment of file.segments) {
    const end = start + lengthOf(segment);
    const from = Math.max(offset, start);
    const to = Math.min(offset + length, end);
    if (from < to) await copy(segment, from - start, target.subarray(from - offset, to - offset));
    start = end;
  }
}

async function copy(segment: Segment, from: number, target: Uint8Array): Promise<void> {
  if (segment.kind === "bytes") {
    target.set(segment.bytes.subarray(from, from + target.length));
    return;
  }
  const handle = await open(segment.path, "r");
  try {
    const { bytesRead } = await handle.read(target, 0, target.length, segment.offset + from);
    if (bytesRead !== target.length) throw new Error(`${segment.path} became shorter while it was read`);
  } finally {
    await handle.close();
  }
}

function lengthOf(segment: Segment): number {
  return segment.kind === "bytes" ? segment.bytes.byteLength : segment.length;
}
