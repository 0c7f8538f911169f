/* libspng behind one function: palettes, small and 16-bit depths, interlacing and tRNS to 8-bit RGB or RGBA. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "spng.h"

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("allocate") uint8_t *allocate(size_t bytes) { return malloc(bytes); }
EXPORT("release") void release(uint8_t *at) { free(at); }

/* Decodes into `out`, 3 or 4 bytes a pixel; 16-bit samples keep their high byte. 1 when it went well. */
EXPORT("decode")
int32_t decode(const uint8_t *file, size_t length, uint8_t *out, int32_t width, int32_t height, int32_t channels) {
  spng_ctx *ctx = spng_ctx_new(0);
  if (ctx == NULL) return 0;
  struct spng_ihdr header;
  int32_t good = 0;
  const int format = channels == 4 ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
  /* The limits were checked on another reader's numbers: they must be the same. */
  if (spng_set_png_buffer(ctx, file, length) == 0 && spng_get_ihdr(ctx, &header) == 0 &&
      (int32_t)header.width == width && (int32_t)header.height == height) {
    good = spng_decode_image(ctx, out, (size_t)width * height * channels, format,
                             channels == 4 ? SPNG_DECODE_TRNS : 0) == 0;
  }
  spng_ctx_free(ctx);
  return good;
}
