/**
 * As much of XGrammar's structural tags as is used (https://xgrammar.mlc.ai/docs/tutorials/structural_tag.html): a grammar
 * of texts with JSON, or anything else, between fixed words.
 */
export type ContentFormat =
  | { readonly type: "json_schema"; readonly json_schema: unknown }
  | { readonly type: "any_text" }
  | { readonly type: "const_string"; readonly value: string }
  | { readonly type: "sequence" | "or"; readonly elements: readonly ContentFormat[] }
  | TagFormat
  | {
      readonly type: "tags_with_separator";
      readonly tags: readonly TagFormat[];
      readonly separator: string;
      readonly at_least_one: boolean;
      readonly stop_after_first: boolean;
    }
  | {
      readonly type: "triggered_tags";
      readonly triggers: readonly string[];
      readonly tags: readonly TagFormat[];
      readonly at_least_one: boolean;
      readonly stop_after_first: boolean;
    };

export interface TagFormat {
  readonly type: "tag";
  readonly begin: string;
  readonly content: ContentFormat;
  readonly end: string;
}
