import type { AttentionStep, LinearStep, Step, Strided } from "../graph/steps.ts";
import { bufferMaker, readersOf } from "./readers.ts";

/** Bytes of q, k or v that exist at once, each: two heads of 64 at 1,024 rows. */
const GROUP_BYTES = 512 * 1024;

/** Columns of a packed right operand that stand together. */
const PANEL = 8;

/** The product that makes q, k or v and nothing else, or null. `only`: its result is read by this attention alone. */
function makerOf(view: Strided, makers: ReadonlyMap<number, LinearStep>, only: (id: number) => boolean) {
  const linear = makers.get(view.buffer.id);
  const [, rows = 0, d = 0] = view.dims;
  const [headStride, rowStride, one] = view.strides;
  if (linear === undefined || !only(view.buffer.id) || linear.columns !== undefined) return null;
  const whole = linear.residual === null && linear.out.offset === 0 && linear.rows === rows && rowStride === linear.n;
  return whole && headStride === d && one === 1 && d % PANEL === 0 && view.offset % PANEL === 0 ? linear : null;
}

/** The columns of heads `first` .. `first + count` of a product, in a buffer of their own, and the view that attention reads. */
function part(linear: LinearStep, view: Strided, first: number, count: number, buffer: Strided["buffer"]) {
  const [, rows = 0, d = 0] = view.dims;
  const width = count * d;
  const columns = { first: view.offset + first * d, of: linear.n };
  const step: LinearStep = { ...linear, n: width, columns, out: { buffer, offset: 0 } };
  const read: Strided = { buffer, offset: 0, dims: [count, rows, d], strides: [d, width, 1] };
  return { step, read };
}

/**
 * Attention over many rows is made a few heads at a time, and q, k and v for no more heads than that: whole they would be three
 * streams at once. Columns of a product and heads are independent, so not a bit changes.
 */
export function groupHeads(steps: readonly Step[], groupBytes = GROUP_BYTES): Step[] {
  const readers = readersOf(steps);
  const buffer = bufferMaker(steps);
  const makers = new Map(steps.filter((step) => step.kind === "linear").map((step) => [step.out.buffer.id, step]));
  const gone = new Set<Step>();
  const groups = new Map<AttentionStep, Step[]>();
  for (const step of steps) {
    if (step.kind !== "attention") continue;
    const only = (id: number): boolean => readers.get(id)?.every((reader) => reader === step) ?? false;
    const views = [step.q, step.k, step.v];
    const linears = views.map((view) => makerOf(view, makers, only)).filter((linear) => linear !== null);
    const [heads = 0, , d = 0] = step.q.dims;
    const rows = Math.max(...views.map(({ dims }) => dims[1] ?? 0));
    const most = Math.max(1, Math.floor(groupBytes / (rows * d * 4)));
    const perGroup = Math.ceil(heads / Math.ceil(heads / most));
    if (linears.length < views.length || perGroup >= heads) continue;
    for (const linear of linears) gone.add(linear);
    const made: Step[] = [];
    for (let first = 0; first < heads; first += perGroup) {
      const count = Math.min(perGroup, heads - first);
      const parts = linears.map((linear, i) => {
        const view = views[i] ?? step.q;
        return part(linear, view, first, count, buffer((view.dims[1] ?? 0) * count * d));
      });
      const [q = step.q, k = step.k, v = step.v] = parts.map(({ read }) => read);
      const { out } = step;
      const offset = out.offset + first * (out.strides[0] ?? 0);
      const dims = [count, ...out.dims.slice(1)];
      made.push(...parts.map((one) => one.step), { ...step, q, k, v, out: { ...out, offset, dims } });
    }
    groups.set(step, made);
  }
  return steps.flatMap((step) =>
    gone.has(step) ? [] : step.kind === "attention" ? (groups.get(step) ?? [step]) : [step],
  );
}
