import type { CallReader } from "./call-reader.ts";
import type { ContentFormat, TagFormat } from "./structural-tag.ts";

/** A function that the model may call, as clients describe it. */
export interface FunctionTool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The arguments must follow the schema, whatever the model would like to write. */
  readonly strict: boolean;
}

/** What a parser makes of an answer's text, in the order of the text. */
export type ToolCallPart =
  | { readonly type: "content"; readonly text: string }
  /** The next call begins. */
  | { readonly type: "call"; readonly name: string }
  /** A piece of the arguments of the call that began last: text of the model, never checked. */
  | { readonly type: "arguments"; readonly text: string }
  /** The call that began last is complete. */
  | { readonly type: "end" };

/** Reads on: yields parts, and undefined where it needs more text. */
export type Reading<T = void> = Generator<ToolCallPart | undefined, T, void>;

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
