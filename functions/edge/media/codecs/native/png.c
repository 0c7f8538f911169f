/* libspng behind one function: palettes, small and 16-bit depths, interlacing and tRNS to 8-bit RGB or RGBA. */
#include <string.h>

#include "codec.h"
#include "spng.h"

/* Bytes that were read from the host and not yet by libspng, whose reads are of a few bytes. */
struct buffered {
  size_t at, length;
  uint8_t bytes[READ_BYTES];
};

static int read_buffered(spng_ctx *ctx, void *user, void *into, size_t length) {
  (void)ctx;
  struct buffered *file = user;
  for (uint8_t *to = into; length > 0;) {
    if (file->at == file->length) {
      file->at = 0;
      file->length = host_read(file->bytes, READ_BYTES);
      if (file->length == 0) return SPNG_IO_EOF;
    }
    const size_t left = file->length - file->at;
    const size_t some = left < length ? left : length;
    memcpy(to, file->bytes + file->at, some);
    file->at += some;
    to += some;
    length -= some;
  }
  return 0;
}

/* Decodes into `out`, 3 or 4 bytes a pixel; 16-bit samples keep their high byte. 1 when it went well. */
EXPORT("decode_png")
int32_t decode_png(uint8_t *out, int32_t width, int32_t height, int32_t channels) {
  spng_ctx *ctx = spng_ctx_new(0);
  if (ctx == NULL) host_fail(OUT_OF_MEMORY);
  struct buffered *file = (struct buffered *)allocate(sizeof *file);
  file->at = file->length = 0;
  struct spng_ihdr header;
  int32_t good = 0;
  const int format = channels == 4 ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
  /* The limits were checked on another reader's numbers: they must be the same. */
  if (spng_set_png_stream(ctx, read_buffered, file) == 0 && spng_get_ihdr(ctx, &header) == 0 &&
      (int32_t)header.width == width && (int32_t)header.height == height) {
    good = spng_decode_image(ctx, out, (size_t)width * height * channels, format,
                             channels == 4 ? SPNG_DECODE_TRNS : 0) == 0;
  }
  spng_ctx_free(ctx);
  free(file);
  return good;
}
