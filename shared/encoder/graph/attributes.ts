import type { Node } from "../onnx/graph.ts";

/** An attribute, or what the operator's specification says when it is absent: https://onnx.ai/onnx/operators/ */
export function int(node: Node, name: string, otherwise: number): number {
  return node.attributes.get(name)?.i ?? otherwise;
}

export function float(node: Node, name: string, otherwise: number): number {
  return node.attributes.get(name)?.f ?? otherwise;
}

export function ints(node: Node, name: string): readonly number[] | null {
  return node.attributes.get(name)?.ints ?? null;
}

/** A window that leaves elements out between those that it takes. */
export function dilated(node: Node): boolean {
  return (ints(node, "dilations") ?? []).some((dilation) => dilation !== 1);
}

/** Windows may reach past the picture, by as much as the operator finds. */
export function autoPadded(node: Node): boolean {
  return (node.attributes.get("auto_pad")?.s ?? "").startsWith("SAME");
}

/** A negative axis counts from the end. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
