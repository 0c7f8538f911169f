/* libwebp's decoder behind one function. */
#include "codec.h"
#include "src/webp/decode.h"

/*
 * Decodes a still picture into `out`, rows `stride` bytes apart, 3 or 4 bytes a pixel, not premultiplied. libwebp wants
 * the whole file. 1 when it went well.
 */
EXPORT("decode_webp")
int32_t decode_webp(size_t length, uint8_t *out, int32_t width, int32_t height, int32_t channels, int32_t stride) {
  uint8_t *file = allocate(length);
  if (host_read(file, length) != length) host_fail(TRUNCATED);
  int w = 0, h = 0;
  /* The limits were checked on another reader's numbers: they must be the same. */
  if (!WebPGetInfo(file, length, &w, &h) || w != width || h != height) host_fail(SIZE_DIFFERS);
  const size_t size = (size_t)stride * (height - 1) + (size_t)width * channels;
  const int32_t good = (channels == 4 ? WebPDecodeRGBAInto(file, length, out, size, stride)
                                      : WebPDecodeRGBInto(file, length, out, size, stride)) != NULL;
  free(file);
  return good;
}
