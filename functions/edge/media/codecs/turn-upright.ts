import { swapsSides, type ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import type { HeapForPicture } from "./picture-heap.ts";
import { uprightStrides } from "./upright-strides.ts";

/**
 * A decoded picture at `out`, as it is handed over. A quarter turn needs a second picture, which is made on the heap
 * too; what can be done in place is left to the caller.
 */
export function turnUpright(
  { codecs, view }: HeapForPicture,
  out: number,
  header: ImageHeader,
  channels: 3 | 4,
): DecodedPicture {
  const { width, height, orientation } = header;
  const size = width * height * channels;
  if (!swapsSides(orientation)) return { data: view(out, size), width, height, channels, upright: false };
  const { start, dx, dy } = uprightStrides(header, channels);
  const turned = codecs.turn(out, width, height, channels, start, dx, dy);
  return { data: view(turned, size), width: height, height: width, channels, upright: true };
}
