#!/usr/bin/env bash
# Builds ../codecs.wasm: libjpeg-turbo, libspng with zlib's inflate, and libwebp's decoder on one heap, in a memory that the
# host brings. The output is committed, so only who changes a codec needs this.
# Needs emscripten (Debian: apt-get install emscripten) and cargo, which brings the libraries' sources: the crates
# turbojpeg-sys, libwebp-sys, spng-sys and libz-sys carry libjpeg-turbo, libwebp, libspng and zlib unchanged. One file is changed here: see saturate.h.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/crates/src"
cat > "$work/crates/Cargo.toml" <<'TOML'
[package]
name = "sources"
version = "0.0.0"
edition = "2021"
[dependencies]
turbojpeg-sys = "=1.2.0"
libwebp-sys = "=0.13.3"
spng-sys = "=0.1.0"
libz-sys = "=1.1.31"
TOML
touch "$work/crates/src/lib.rs"
(cd "$work/crates" && cargo vendor --quiet "$work/vendor" > /dev/null)
jpeg=$work/vendor/turbojpeg-sys/libjpeg-turbo
webp=$work/vendor/libwebp-sys/vendor
spng=$work/vendor/spng-sys/libspng/spng
zlib=$work/vendor/libz-sys/src/zlib

flags=(-O3 -msimd128 -fno-exceptions -DNDEBUG -DNO_GETENV)
link=(--no-entry -sSTANDALONE_WASM=1 -sFILESYSTEM=0 -sIMPORTED_MEMORY=1 -sMALLOC=emmalloc -sALLOW_MEMORY_GROWTH=1
  -sINITIAL_MEMORY=1048576 -sMAXIMUM_MEMORY=134217728 -sTOTAL_STACK=131072 -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0
  -Wl,--gc-sections -Wl,--export=__heap_base -Wl,--stack-first)

objects=()
# compile NAME SOURCE FLAGS...
compile() {
  emcc "${flags[@]}" -ffunction-sections -fdata-sections "${@:3}" -c "$2" -o "$work/$1.o"
  objects+=("$work/$1.o")
}

build_jpeg() {
  local out=$work/jpeg
  mkdir -p "$out"
  sed -e 's/@JPEG_LIB_VERSION@/62/' -e 's/@VERSION@/3.1.0/' -e 's/@LIBJPEG_TURBO_VERSION_NUMBER@/3001000/' \
    -e 's/#cmakedefine D_ARITH_CODING_SUPPORTED.*//' -e 's/#cmakedefine C_ARITH_CODING_SUPPORTED.*//' \
    -e 's/#cmakedefine .*//' "$jpeg/src/jconfig.h.in" > "$out/jconfig.h"
  sed -e 's/@BUILD@/fovea/' -e 's/@HIDDEN@/__attribute__((visibility("hidden")))/' -e 's/@INLINE@/inline __attribute__((always_inline))/' \
    -e 's/@THREAD_LOCAL@//' -e 's/@CMAKE_PROJECT_NAME@/libjpeg-turbo/' -e 's/@VERSION@/3.1.0/' -e 's/@SIZE_T@/4/' \
    -e 's/#cmakedefine HAVE_BUILTIN_CTZL/#define HAVE_BUILTIN_CTZL/' -e 's/#cmakedefine .*//' "$jpeg/src/jconfigint.h.in" > "$out/jconfigint.h"
  sed -e 's/@COPYRIGHT_YEAR@/1991-2024/' "$jpeg/src/jversion.h.in" > "$out/jversion.h"
  awk -v header="$here/saturate.h" '/^#if CONST_BITS == 13/ && !done { print "#include \"" header "\""; done = 1 } { print }' \
    "$jpeg/src/jidctint.c" > "$out/jidctint.c"
  mv "$out/jidctint.c" "$jpeg/src/jidctint.c"
  local include=(-I"$out" -I"$jpeg/src")
  # Compiled once for each sample width, as the library's own build does; the linker drops what 8 bits do not need
  local all="jdapistd jdcolor jddiffct jdlossls jdmainct jdpostct jdsample jutils"
  local lossy="jdcoefct jddctmgr jdmerge jidctflt jidctfst jidctint jidctred jquant1 jquant2"
  local once="jcomapi jdapimin jdatasrc jdatadst jdhuff jdicc jdinput jdlhuff jdmarker jdmaster jdphuff jerror jmemmgr jmemnobs jpeg_nbits"
  for name in $once $all $lossy; do compile "$name" "$jpeg/src/$name.c" "${include[@]}"; done
  for name in $all $lossy; do compile "$name-12" "$jpeg/src/$name.c" "${include[@]}" -DBITS_IN_JSAMPLE=12; done
  for name in $all; do compile "$name-16" "$jpeg/src/$name.c" "${include[@]}" -DBITS_IN_JSAMPLE=16; done
  compile jpeg "$here/jpeg.c" "${include[@]}"
}

build_webp() {
  # Written in SSE2 and SSE4.1, which emscripten maps to wasm SIMD
  local include=(-msse2 -msse4.1 -I"$webp")
  for file in "$webp"/src/{dec,dsp,utils}/*.c; do
    case $(basename "$file") in
      *enc*|cost*|ssim*|*mips*|*msa*|*neon*|*avx*|huffman_encode*|quant_levels_utils*|bit_writer*) ;;
      *) compile "webp-$(basename "$file" .c)" "$file" "${include[@]}" ;;
    esac
  done
  compile webp "$here/webp.c" "${include[@]}"
}

build_png() {
  for name in adler32 crc32 inflate inffast inftrees zutil; do compile "zlib-$name" "$zlib/$name.c"; done
  # Its own SIMD is for x86 and ARM; the compiler makes wasm SIMD of the plain loops
  local include=(-DSPNG_STATIC -DSPNG_DISABLE_OPT -I"$spng" -I"$zlib")
  compile spng "$spng/spng.c" "${include[@]}"
  compile png "$here/png.c" "${include[@]}"
}

build_jpeg
build_png
build_webp
compile heap "$here/heap.c"
emcc "${flags[@]}" "${objects[@]}" "${link[@]}" -o "$here/../codecs.wasm"
chmod 644 "$here/../codecs.wasm"
ls -l "$here/../codecs.wasm"
# What infra/check/codecs.ts compares
sha256sum build.sh *.c *.h ../codecs.wasm > built.sha256
