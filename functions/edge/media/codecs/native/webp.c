/* libwebp's decoder behind one function. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "src/webp/decode.h"

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("allocate") uint8_t *allocate(size_t bytes) { return malloc(bytes); }
EXPORT("release") void release(uint8_t *at) { free(at); }

/* Decodes a still picture into `out`, 3 or 4 bytes a pixel, not premultiplied. 1 when it went well. */
EXPORT("decode")
int32_t decode(const uint8_t *file, size_t length, uint8_t *out, int32_t width, int32_t height, int32_t channels) {
  int w = 0, h = 0;
  /* The limits were checked on another reader's numbers: they must be the same. */
  if (!WebPGetInfo(file, length, &w, &h) || w != width || h != height) return 0;
  const int stride = width * channels;
  const size_t size = (size_t)stride * height;
  return (channels == 4 ? WebPDecodeRGBAInto(file, length, out, size, stride)
                        : WebPDecodeRGBInto(file, length, out, size, stride)) != NULL;
}
