/**
 * Tokens while a text is encoded: id and where it lies, in bytes of the buffer that was tokenized. Columns, not objects:
 * one list serves all calls of a tokenizer.
 */
export class TokenList {
  ids = new Int32Array(256);
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  length = 0;

  push(id: number, start: number, end: number): void {
    const at = this.length;
    if (at === this.ids.length) this.#grow();
    this.ids[at] = id;
    this.starts[at] = start;
    this.ends[at] = end;
    this.length = at + 1;
  }

  clear(): void {
    this.length = 0;
    // A long text must not keep an isolate's memory after it is done.
    if (this.ids.length > 1 << 16) {
      this.ids = new Int32Array(256);
      this.starts = new Int32Array(256);
      this.ends = new Int32Array(256);
    }
  }

  #grow(): void {
    this.ids = doubled(this.ids);
    this.starts = doubled(this.starts);
    this.ends = doubled(this.ends);
  }
}

function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(values.length * 2);
  larger.set(values);
  return larger;
}
