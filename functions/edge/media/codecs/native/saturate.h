/*
 * Put into libjpeg-turbo's jidctint.c behind jdct.h. Its C code lets samples far out of range wrap around, its SIMD code
 * (Pillow's on every common machine) saturates, which shows in pictures of hard black and white. This saturates too:
 * to 16 bits between the passes, and to what the range table covers at the end.
 */
#undef DESCALE
static inline JLONG saturate(JLONG x, int n) {
  const JLONG value = RIGHT_SHIFT(x + (ONE << (n - 1)), n);
  const JLONG most = n == CONST_BITS - PASS1_BITS ? 32767 : 511;
  return value > most ? most : value < -most - 1 ? -most - 1 : value;
}
#define DESCALE(x, n) saturate(x, n)
