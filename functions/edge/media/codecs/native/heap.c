/* The heap that a picture is decoded on: one for all codecs, begun anew by the host for every picture. */
#include "codec.h"

/* Moves the end of the heap, which the host keeps, out of reach of what a hostile file may do in here; -1: no room. */
HOST("grow") extern intptr_t host_grow(intptr_t bytes);

/* Under the allocator, in place of the C library's. */
void *sbrk(intptr_t bytes) { return (void *)host_grow(bytes); }

EXPORT("allocate") uint8_t *allocate(size_t bytes) {
  uint8_t *at = malloc(bytes);
  if (at == NULL) host_fail(OUT_OF_MEMORY);
  return at;
}

/* Turns a picture into a new one and frees the first: pixel (x, y) goes to `start + x * dx + y * dy`. */
EXPORT("turn")
uint8_t *turn(uint8_t *from, int32_t width, int32_t height, int32_t channels, int32_t start, int32_t dx, int32_t dy) {
  uint8_t *turned = allocate((size_t)width * height * channels);
  const uint8_t *pixel = from;
  for (int32_t y = 0; y < height; y++) {
    uint8_t *to = turned + start + y * dy;
    for (int32_t x = 0; x < width; x++, pixel += channels, to += dx) {
      for (int32_t c = 0; c < channels; c++) to[c] = pixel[c];
    }
  }
  free(from);
  return turned;
}
