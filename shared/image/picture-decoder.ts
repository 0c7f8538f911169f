import type { ImageHeader } from "./header/image-header.ts";

/** What a decoder hands over: 8-bit samples as stored in the file, before orientation and transparency. */
export interface DecodedPicture {
  /**
   * `[H, W, channels]`. May be a view on the decoder's heap, valid until its next call, and may be overwritten by the
   * caller: composition and packing happen in place, so that no second copy exists.
   */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 3: RGB. 4: RGBA, not premultiplied. */
  readonly channels: 3 | 4;
  /** Whether the decoder has already turned the picture upright. */
  readonly upright: boolean;
}

/**
 * Bytes -> samples, behind one interface: wasm codecs (edge), the Cloudflare Images binding (edge, optional), sharp
 * (origin). A decoder is only called after `readImageHeader` and `checkImageLimits` have passed the file.
 */
export interface PictureDecoder {
  readonly name: string;
  /** @throws FoveaError `invalid_image` (damaged), `unsupported_image` (a format or coding that this decoder lacks) */
  decode(bytes: Uint8Array, header: ImageHeader): Promise<DecodedPicture>;
}
