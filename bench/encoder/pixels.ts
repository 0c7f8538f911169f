const made = new Map<number, Float32Array<ArrayBuffer>>();

/** The picture that all runtimes of the bench see: smooth waves and some noise, f32 [1, 3, side, side]; made once. */
export function benchPixels(side: number): Float32Array<ArrayBuffer> {
  const known = made.get(side);
  if (known !== undefined) return known;
  const pixels = new Float32Array(3 * side * side);
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.sin(i / 977) + 0.3 * Math.sin(i * 17.3);
  made.set(side, pixels);
  return pixels;
}
