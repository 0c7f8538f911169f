/** A wasm source of the repository: what `npm run build:wasm` writes, and what `--check` compares with the committed files. */
export interface WasmTarget {
  readonly name: string;
  /** Path from the repository root -> bytes. Building twice gives the same bytes. */
  build(): Promise<ReadonlyMap<string, Uint8Array>>;
}
