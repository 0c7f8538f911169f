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
