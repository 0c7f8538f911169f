import { TokenizerCompileError } from "../compile/unsupported.ts";
import type { RecordWriter } from "../format/writer.ts";
import { type Node, parsePattern } from "./parse.ts";
import type { Ranges } from "./ranges.ts";

/** Instructions, three numbers each: what, and two operands. */
export const OP = {
  /** One character of class `a`. */
  set: 0,
  /** Go on at `a`, and when that fails at `b`. */
  split: 1,
  jump: 2,
  /** The next character is of class `a`. */
  next: 3,
  /** The next character is not of class `a`, or there is none. */
  notNext: 4,
  match: 5,
} as const;

/** Instructions of one pattern; the largest known one has 60. A repetition is unrolled, so counts multiply. */
export const MAX_INSTRUCTIONS = 4096;

/** Compiles a pattern for `RegexProgram`. Throws `TokenizerCompileError` for what the engine lacks. */
export function writeProgram(pattern: string, record: RecordWriter): void {
  const tree = parsePattern(pattern);
  if (isNullable(tree)) throw new TokenizerCompileError("pattern", `${pattern} can match nothing`);
  const code: number[] = [];
  const classes: Ranges[] = [];
  const classOf = (set: Ranges): number => {
    const known = classes.findIndex((other) => other.length === set.length && other.every((n, i) => n === set[i]));
    return known === -1 ? classes.push(set) - 1 : known;
  };
  const emit = (op: number, a = 0, b = 0): number => {
    if (code.length >= 3 * MAX_INSTRUCTIONS) throw new TokenizerCompileError("pattern", `${pattern} is too large`);
    return code.push(op, a, b) / 3 - 1;
  };
  const here = (): number => code.length / 3;
  const write = (node: Node): void => {
    switch (node.kind) {
      case "set":
        emit(OP.set, classOf(node.set));
        break;
      case "next":
        emit(node.negative ? OP.notNext : OP.next, classOf(node.set));
        break;
      case "sequence":
        node.nodes.forEach(write);
        break;
      case "choice": {
        const jumps: number[] = [];
        for (const [i, alternative] of node.nodes.entries()) {
          if (i + 1 === node.nodes.length) write(alternative);
          else {
            const split = emit(OP.split, here() + 1);
            write(alternative);
            jumps.push(emit(OP.jump));
            code[3 * split + 2] = here();
          }
        }
        for (const jump of jumps) code[3 * jump + 1] = here();
        break;
      }
      case "repeat": {
        for (let i = 0; i < node.least; i++) write(node.node);
        const splits: number[] = [];
        if (node.most === Infinity) {
          const split = emit(OP.split);
          splits.push(split);
          write(node.node);
          emit(OP.jump, split);
        } else {
          for (let i = node.least; i < node.most; i++) {
            splits.push(emit(OP.split));
            write(node.node);
          }
        }
        for (const split of splits) {
          code[3 * split + (node.lazy ? 2 : 1)] = split + 1;
          code[3 * split + (node.lazy ? 1 : 2)] = here();
        }
        break;
      }
      default:
        throw new TokenizerCompileError("pattern", "a node is of no known kind");
    }
  };
  write(tree);
  emit(OP.match);
  record.list(code, (value, r) => r.u32(value)).list(classes, (set, r) => r.list(set, (value, w) => w.u32(value)));
}

function isNullable(node: Node): boolean {
  switch (node.kind) {
    case "set":
      return false;
    case "next":
      return true;
    case "sequence":
      return node.nodes.every(isNullable);
    case "choice":
      return node.nodes.some(isNullable);
    case "repeat":
      return node.least === 0 || isNullable(node.node);
    default:
      return true;
  }
}
