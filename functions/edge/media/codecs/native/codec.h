/* What the codecs share: exports, and the two things that they ask of the host. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define HOST(name) __attribute__((import_module("host"), import_name(name)))

/* Writes the next bytes of the file, as many as there are up to `most`; 0 at its end. */
HOST("read") extern size_t host_read(uint8_t *into, size_t most);

/* Why a decode ends, beside a codec's own codes; picture-heap.ts has the words. */
#define TRUNCATED (-1)
#define SIZE_DIFFERS (-2)
#define OUT_OF_MEMORY (-3)

/* Ends the decode: the host throws, and instantiates anew before the next picture. */
HOST("fail") extern _Noreturn void host_fail(int32_t code);

/* `malloc` that ends the decode when there is no room. */
uint8_t *allocate(size_t bytes);

/* Bytes of the file that lie on the heap at a time. */
#define READ_BYTES 65536
