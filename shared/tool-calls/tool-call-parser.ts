import { CallReader } from "./call-reader.ts";
import type { FunctionTool, Reading, ToolCallPart } from "./tool-call.ts";
import type { ToolCallFormat } from "./tool-call-format.ts";

/** Tells calls from content while an answer grows. The same parts come out at every cut of the text, in other pieces. */
export class ToolCallParser {
  readonly #reader: CallReader;
  readonly #reading: Reading;

  constructor(format: ToolCallFormat, functions: readonly FunctionTool[]) {
    this.#reader = new CallReader(functions);
    this.#reading = format.read(this.#reader);
  }

  push(text: string): ToolCallPart[] {
    this.#reader.append(text);
    return this.#parts();
  }

  /** What was held back. */
  end(): ToolCallPart[] {
    this.#reader.end();
    return this.#parts();
  }

  #parts(): ToolCallPart[] {
    const parts: ToolCallPart[] = [];
    for (;;) {
      const { value, done } = this.#reading.next();
      if (done === true || value === undefined) return parts;
      parts.push(value);
    }
  }
}
