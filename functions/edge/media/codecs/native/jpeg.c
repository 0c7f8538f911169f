/*
 * libjpeg-turbo behind one function: decode to upright RGB, straight into the caller's buffer.
 *
 * There is no setjmp: an error calls the host, which throws. Warnings are ignored, as Pillow ignores them, but a file
 * that ends too early is an error.
 */
#include <stdio.h>

#include "codec.h"
#include "jpeglib.h"
#include "jerror.h"

/* Rows that are read at once: a quarter turn then writes runs of this many pixels. */
#define BATCH 16

static void error_exit(j_common_ptr cinfo) {
  host_fail(cinfo->err->msg_code == JERR_OUT_OF_MEMORY ? OUT_OF_MEMORY : cinfo->err->msg_code);
}
static void emit_message(j_common_ptr cinfo, int level) {
  if (level < 0) cinfo->err->num_warnings++;
}
static void output_message(j_common_ptr cinfo) { (void)cinfo; }

/* The file, piece by piece. */
struct source {
  struct jpeg_source_mgr manager;
  JOCTET bytes[READ_BYTES];
};

static boolean fill(j_decompress_ptr cinfo) {
  struct source *source = (struct source *)cinfo->src;
  source->manager.next_input_byte = source->bytes;
  source->manager.bytes_in_buffer = host_read(source->bytes, READ_BYTES);
  if (source->manager.bytes_in_buffer == 0) host_fail(TRUNCATED);
  return TRUE;
}
static void skip(j_decompress_ptr cinfo, long bytes) {
  if (bytes <= 0) return;
  struct jpeg_source_mgr *src = cinfo->src;
  for (; (size_t)bytes > src->bytes_in_buffer; fill(cinfo)) bytes -= (long)src->bytes_in_buffer;
  src->next_input_byte += bytes;
  src->bytes_in_buffer -= bytes;
}
static void ignore(j_decompress_ptr cinfo) { (void)cinfo; }

static void read_from_host(j_decompress_ptr cinfo, struct source *source) {
  source->manager.bytes_in_buffer = 0;
  source->manager.init_source = ignore;
  source->manager.fill_input_buffer = fill;
  source->manager.skip_input_data = skip;
  source->manager.resync_to_restart = jpeg_resync_to_restart;
  source->manager.term_source = ignore;
  cinfo->src = &source->manager;
}

static inline uint8_t mul_div_255(uint32_t a, uint32_t b) {
  uint32_t t = a * b + 128;
  return (uint8_t)(((t >> 8) + t) >> 8);
}

/*
 * Decodes the file into `out`, 3 bytes a pixel. Pixel (x, y) as stored goes to `out + start + x * dx + y * dy`, so that
 * every EXIF orientation is a choice of strides and needs no second picture.
 *
 * CMYK becomes RGB with the arithmetic of Pillow (Convert.c, cmyk2rgb); JPEG stores it inverted.
 */
EXPORT("decode_jpeg")
void decode_jpeg(uint8_t *out, int32_t width, int32_t height, int32_t start, int32_t dx, int32_t dy) {
  struct jpeg_decompress_struct cinfo;
  struct jpeg_error_mgr errors;
  cinfo.err = jpeg_std_error(&errors);
  errors.error_exit = error_exit;
  errors.emit_message = emit_message;
  errors.output_message = output_message;
  jpeg_create_decompress(&cinfo);
  struct source *source = (struct source *)allocate(sizeof *source);
  read_from_host(&cinfo, source);
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
  uint8_t *rows = direct ? NULL : allocate((size_t)stride * BATCH);
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
  free(source);
}
