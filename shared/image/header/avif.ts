import { FoveaError } from "../../errors/error.ts";
import { startsWithAscii } from "./exif.ts";
import type { ImageHeader, Orientation } from "./image-header.ts";

interface Box {
  readonly type: string;
  /** First and one past the last byte of what the box holds. */
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the item properties of an AVIF file: `meta` -> `pitm` (which item), `iprp` -> `ipco` (properties) and `ipma`
 * (which item has which): `ispe` size, `pixi` depth, `irot` / `imir` turn and mirror, `auxC` alpha.
 *
 * Source: ISO/IEC 14496-12, 23008-12 (6.5.3, 6.5.10, 6.5.12), AV1 Image File Format 1.1.
 */
export function readAvifHeader(bytes: Uint8Array, view: DataView): ImageHeader {
  const top = boxes(bytes, view, 0, bytes.length);
  const brands = top.find((box) => box.type === "ftyp");
  const meta = top.find((box) => box.type === "meta");
  if (brands === undefined || meta === undefined) throw invalid("has no metadata");
  // `meta` is a full box: 4 bytes of version and flags come first
  const children = boxes(bytes, view, meta.start + 4, meta.end);
  const iprp = children.find((box) => box.type === "iprp");
  if (iprp === undefined) throw invalid("has no item properties");
  const parts = boxes(bytes, view, iprp.start, iprp.end);
  const ipco = parts.find((box) => box.type === "ipco");
  const ipma = parts.find((box) => box.type === "ipma");
  if (ipco === undefined || ipma === undefined) throw invalid("has no item properties");
  const properties = boxes(bytes, view, ipco.start, ipco.end);
  const primary = readPrimaryItem(
    view,
    children.find((box) => box.type === "pitm"),
  );

  let size: { readonly width: number; readonly height: number } | undefined;
  let depth = 8;
  let turn = 0;
  let mirror: 0 | 1 | undefined;
  for (const index of associations(view, ipma, primary)) {
    const box = properties[index - 1];
    if (box?.type === "ispe") {
      if (size !== undefined) throw invalid("has two sizes");
      size = { width: view.getUint32(box.start + 4), height: view.getUint32(box.start + 8) };
    } else if (box?.type === "pixi") depth = view.getUint8(box.start + 5);
    else if (box?.type === "irot") turn = view.getUint8(box.start) & 3;
    else if (box?.type === "imir") mirror = (view.getUint8(box.start) & 1) === 1 ? 1 : 0;
  }
  if (size === undefined) throw invalid("has no size");
  return {
    format: "avif",
    ...size,
    depth,
    color: "rgb",
    alpha: properties.some((box) => box.type === "auxC"),
    frames: startsWithAscii(bytes, "avis", brands.start) ? 2 : 1,
    orientation: orientationOf(turn, mirror),
  };
}

function invalid(what: string): FoveaError {
  return new FoveaError("invalid_image", `The AVIF file ${what}.`);
}

/** The boxes side by side in a range. Size 0 means "to the end", 1 a 64-bit size; a size below its own header is damage. */
function boxes(bytes: Uint8Array, view: DataView, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= to;) {
    let size = view.getUint32(at);
    let header = 8;
    if (size === 1) {
      if (view.getUint32(at + 8) !== 0) throw new RangeError("box");
      size = view.getUint32(at + 12);
      header = 16;
    } else if (size === 0) size = to - at;
    if (size < header || at + size > to) throw new RangeError("box");
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    found.push({ type, start: at + header, end: at + size });
    // Far above what a picture holds; bounds the walk of a file made of empty boxes
    if (found.length > 1024) throw invalid("has too many boxes");
    at += size;
  }
  return found;
}

function readPrimaryItem(view: DataView, pitm: Box | undefined): number {
  if (pitm === undefined) throw invalid("has no primary item");
  return view.getUint8(pitm.start) === 0 ? view.getUint16(pitm.start + 4) : view.getUint32(pitm.start + 4);
}

/** 1-based property indices of one item, from `ipma`. */
function associations(view: DataView, ipma: Box, item: number): number[] {
  const version = view.getUint8(ipma.start);
  const wide = (view.getUint8(ipma.start + 3) & 1) === 1;
  let entries = view.getUint32(ipma.start + 4);
  let at = ipma.start + 8;
  for (; entries > 0; entries -= 1) {
    if (at >= ipma.end) throw new RangeError("ipma");
    const id = version === 0 ? view.getUint16(at) : view.getUint32(at);
    at += version === 0 ? 2 : 4;
    const count = view.getUint8(at);
    at += 1;
    const indices: number[] = [];
    for (let n = 0; n < count; n += 1) {
      indices.push(wide ? view.getUint16(at) & 0x7fff : view.getUint8(at) & 0x7f);
      at += wide ? 2 : 1;
    }
    if (id === item) return indices;
  }
  return [];
}

/** `irot` turns counter-clockwise by 90 degrees a step, then `imir` mirrors: 0 top-bottom, 1 left-right. */
function orientationOf(turn: number, mirror: 0 | 1 | undefined): Orientation {
  const turned: readonly Orientation[] = [1, 8, 3, 6];
  const flipped: readonly Orientation[] = [4, 5, 2, 7];
  const mirrored: readonly Orientation[] = [2, 7, 4, 5];
  const table = mirror === undefined ? turned : mirror === 0 ? flipped : mirrored;
  return table[turn] ?? 1;
}
