/** Parts of a text: start and end of each in bytes, in order. */
export class Spans {
  values = new Int32Array(1024);
  count = 0;

  push(start: number, end: number): void {
    const at = 2 * this.count;
    if (at === this.values.length) {
      const larger = new Int32Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[at] = start;
    this.values[at + 1] = end;
    this.count++;
  }

  clear(): void {
    this.count = 0;
    if (this.values.length > 1 << 16) this.values = new Int32Array(1024);
  }
}
