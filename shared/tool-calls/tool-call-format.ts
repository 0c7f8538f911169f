import type { CallReader } from "./call-reader.ts";
import type { ContentFormat, TagFormat } from "./tag-format.ts";
import type { FunctionTool, Reading } from "./tool-call.ts";

/** How the models of one family write tool calls into their text. */
export interface ToolCallFormat {
  readonly name: string;
  /** Control tokens that are a part of the format: the detokenizer leaves them in, and grammars may ask for them. */
  readonly markers: readonly string[];
  /** What a template that describes the format to the model, and writes no calls of its own, has in its text. */
  readonly described?: RegExp;
  /** Reads a whole answer. */
  read(reader: CallReader): Reading;
  /** One call as a grammar; `parameters` is the grammar of JSON arguments. */
  call(tool: FunctionTool, parameters: ContentFormat): TagFormat;
  /** What stands before, between and after the calls of one answer. */
  readonly around: { readonly begin: string; readonly separator: string; readonly end: string };
  /** The beginning of every call, by which a grammar notices one in free text. */
  readonly trigger: string;
  /** Letters and digits of a call's id, where the family's template insists on a number of them. */
  readonly idLength?: number;
}
