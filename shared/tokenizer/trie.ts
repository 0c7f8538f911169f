import { malformed } from "./format/reader.ts";

/**
 * Contents of tokens, to be found in UTF-8. A walk from each place is enough: contents are short, so a search is
 * linear with the longest content as factor.
 *
 * Layout, i32: 256 entries, the node after each first byte (0: none); then nodes, one after the other: index of the token
 * that ends here + 1, number of edges, and (byte, node) for each.
 */
export class Trie {
  readonly #nodes: Int32Array;

  constructor(nodes: Int32Array, tokens: number) {
    this.#nodes = nodes;
    if (nodes.length === 0) return;
    if (nodes.length < 256) throw malformed("a trie is cut off");
    const begins = new Set<number>();
    for (let at = 256; at < nodes.length; at += 2 + 2 * nodes[at + 1]) {
      const edges = nodes[at + 1];
      if (!(edges >= 0 && edges <= 256) || nodes[at] < 0 || nodes[at] > tokens) throw malformed("a trie is broken");
      begins.add(at);
    }
    const check = (node: number): void => {
      if (!begins.has(node)) throw malformed("an edge of a trie leads nowhere");
    };
    for (let byte = 0; byte < 256; byte++) if (nodes[byte] !== 0) check(nodes[byte]);
    for (const at of begins) for (let i = 0; i < nodes[at + 1]; i++) check(nodes[at + 3 + 2 * i]);
  }

  get empty(): boolean {
    return this.#nodes.length === 0;
  }

  /** Whether a token begins with this byte. */
  begins(byte: number): boolean {
    return this.#nodes.length > 0 && this.#nodes[byte] !== 0;
  }

  /** Calls `found` for each token that begins at `at`, shorter ones first. */
  walk(bytes: Uint8Array, at: number, end: number, found: (token: number, end: number) => void): void {
    const nodes = this.#nodes;
    if (nodes.length === 0) return;
    let position = at;
    for (let node = this.#step(0, bytes[position++]); node !== 0; node = this.#step(node, bytes[position++])) {
      if (nodes[node] !== 0) found(nodes[node] - 1, position);
      if (position === end) return;
    }
  }

  /** Bytes of the longest token that begins at `at`, 0 when none does. */
  match(bytes: Uint8Array, at: number, end: number): number {
    let longest = 0;
    this.walk(bytes, at, end, (_, stop) => (longest = stop - at));
    return longest;
  }

  /** Whether a token begins with `bytes[at, end)`, which is not empty. */
  isPrefix(bytes: Uint8Array, at: number, end: number): boolean {
    if (this.#nodes.length === 0) return false;
    let node = this.#step(0, bytes[at]);
    for (let position = at + 1; position < end && node !== 0; position++) node = this.#step(node, bytes[position]);
    return node !== 0;
  }

  /** The node after `node` (0: the root) by this byte, 0 when there is none. */
  #step(node: number, byte: number): number {
    const nodes = this.#nodes;
    if (node === 0) return nodes[byte];
    for (let edge = node + 2, last = edge + 2 * nodes[node + 1]; edge < last; edge += 2) {
      if (nodes[edge] === byte) return nodes[edge + 1];
    }
    return 0;
  }
}

interface Node {
  token: number;
  readonly edges: Map<number, Node>;
}

/** The trie in the layout of `Trie`; empty when there are no contents. Of equal contents the first one wins. */
export function buildTrie(contents: readonly (readonly [bytes: Uint8Array, token: number])[]): Int32Array {
  const root: Node = { token: -1, edges: new Map() };
  for (const [bytes, token] of contents) {
    let node = root;
    for (const byte of bytes) {
      let next = node.edges.get(byte);
      if (next === undefined) {
        next = { token: -1, edges: new Map() };
        node.edges.set(byte, next);
      }
      node = next;
    }
    if (node.token === -1) node.token = token;
  }
  if (root.edges.size === 0) return new Int32Array(0);
  const places = new Map<Node, number>();
  const order: Node[] = [...root.edges.values()];
  let length = 256;
  for (const node of order) {
    places.set(node, length);
    length += 2 + 2 * node.edges.size;
    order.push(...node.edges.values());
  }
  const table = new Int32Array(length);
  for (const [byte, node] of root.edges) table[byte] = places.get(node) ?? 0;
  for (const node of order) {
    let at = places.get(node) ?? 0;
    table[at++] = node.token + 1;
    table[at++] = node.edges.size;
    for (const [byte, next] of node.edges) {
      table[at++] = byte;
      table[at++] = places.get(next) ?? 0;
    }
  }
  return table;
}
