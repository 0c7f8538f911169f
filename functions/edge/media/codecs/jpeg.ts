import { swapsSides, type ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import { readParts, type PictureHeap } from "./picture-heap.ts";
import { uprightStrides } from "./upright-strides.ts";

/**
 * JPEG -> RGB by libjpeg-turbo, with its slow integer DCT and smooth upsampling: the same bits as Pillow's. The decoder
 * writes each pixel where orientation wants it, so a quarter turn needs no second picture.
 */
export function decodeJpeg(pictureHeap: PictureHeap, bytes: Uint8Array, header: ImageHeader): DecodedPicture {
  const { width, height } = header;
  const size = width * height * 3;
  const { start, dx, dy } = uprightStrides(header, 3);
  return pictureHeap.use("JPEG", readParts([bytes]), ({ codecs, view }) => {
    const out = codecs.allocate(size);
    codecs.decode_jpeg(out, width, height, start, dx, dy);
    const turned = swapsSides(header.orientation);
    return {
      data: view(out, size),
      width: turned ? height : width,
      height: turned ? width : height,
      channels: 3,
      upright: true,
    };
  });
}
