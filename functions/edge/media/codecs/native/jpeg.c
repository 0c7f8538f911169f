/*
 * libjpeg-turbo behind two functions: decode to upright RGB, straight into the caller's buffer.
 *
 * There is no setjmp: an error calls the host, which throws, and the host drops the instance. Warnings are ignored, as
 * Pillow ignores them, but a file that ends too early is an error.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "jpeglib.h"
#include "jerror.h"

#define EXPORT(name) __attribute__((export_name(name)))

/* What the host is told, beside libjpeg's own message codes. */
#define TRUNCATED (-1)
#define SIZE_DIFFERS (-2)
#define OUT_OF_MEMORY (-3)

/* Never returns: the host throws. */
__attribute__((import_module("host"), import_name("fail"))) extern void host_fail(int32_t code);

/* Rows that are read at once: a quarter turn then writes runs of this many pixels. */
#define BATCH 16

static void error_exit(j_common_ptr cinfo) {
  host_fail(cinfo->err->msg_code);
  abort();
}
static void emit_message(j_common_ptr cinfo, int level) {
  if (level < 0) cinfo->err->num_warnings++;
}
static void output_message(j_common_ptr cinfo) { (void)cinfo; }
static boolean truncated(j_decompress_ptr cinfo) {
  host_fail(TRUNCATED);
  abort();
  return cinfo == NULL;
}

static inline uint8_t mul_div_255(uint32_t a, uint32_t b) {
  uint32_t t = a * b + 128;
  return (uint8_t)(((t >> 8) + t) >> 8);
}

EXPORT("allocate") uint8_t *allocate(size_t bytes) { return malloc(bytes); }
EXPORT("release") void release(uint8_t *at) { free(at); }

/*
 * Decodes `file` into `out`, 3 bytes a pixel. Pixel (x, y) as stored goes to `out + start + x * dx + y * dy`, so that
 * every EXIF orientation is a choice of strides and needs no second picture.
 *
 * CMYK becomes RGB with the arithmetic of Pillow (Convert.c, cmyk2rgb); JPEG stores it inverted.
 */
EXPORT("decode")
void decode(const uint8_t *file, size_t length, uint8_t *out, int32_t width, int32_t height, int32_t start, int32_t dx,
            int32_t dy) {
  struct jpeg_decompress_struct cinfo;
  struct jpeg_error_mgr errors;
  cinfo.err = jpeg_std_error(&errors);
  errors.error_exit = error_exit;
  errors.emit_message = emit_message;
  errors.output_message = output_message;
  jpeg_create_decompress(&cinfo);
  jpeg_mem_src(&cinfo, file, length);
  cinfo.src->fill_input_buffer = truncated;
  jpeg_read_header(&cinfo, TRUE);
  /* The limits were checked on another reader's numbers: they must be the same. */
  if ((int32_t)cinfo.image_width != width || (int32_t)cinfo.image_height != height) host_fail(SIZE_DIFFERS);
  int channels = 3;
  if (cinfo.num_components == 4) {
    cinfo.out_color_space = JCS_CMYK;
    channels = 4;
  } else {
    cinfo.out_color_space = JCS_RGB;
  }
  jpeg_start_decompress(&cinfo);
  const int stride = width * channels;
  const int direct = channels == 3 && dx == 3;
  uint8_t *rows = direct ? NULL : malloc((size_t)stride * BATCH);
  if (!direct && rows == NULL) host_fail(OUT_OF_MEMORY);
  JSAMPROW lines[BATCH];
  for (int y = 0; y < height;) {
    const int batch = height - y < BATCH ? height - y : BATCH;
    for (int i = 0; i < batch; i++) lines[i] = direct ? out + start + (y + i) * dy : rows + i * stride;
    for (int done = 0; done < batch;) done += jpeg_read_scanlines(&cinfo, lines + done, batch - done);
    if (!direct && channels == 3) {
      for (int x = 0; x < width; x++) {
        for (int i = 0; i < batch; i++) {
          const uint8_t *from = lines[i] + x * 3;
          uint8_t *to = out + start + x * dx + (y + i) * dy;
          to[0] = from[0];
          to[1] = from[1];
          to[2] = from[2];
        }
      }
    } else if (!direct) {
      for (int x = 0; x < width; x++) {
        for (int i = 0; i < batch; i++) {
          const uint8_t *from = lines[i] + x * 4;
          uint8_t *to = out + start + x * dx + (y + i) * dy;
          const uint32_t white = from[3];
          to[0] = white - mul_div_255(255 - from[0], white);
          to[1] = white - mul_div_255(255 - from[1], white);
          to[2] = white - mul_div_255(255 - from[2], white);
        }
      }
    }
    y += batch;
  }
  free(rows);
  jpeg_destroy_decompress(&cinfo);
}
