import type { PromptText } from "../prompt-text.ts";

/** What the image processor made of one picture. */
export interface ImageFeatureGrid {
  /** Rows of image features in all, `[rows, H]`: what one image token must become. */
  readonly features: number;
  /** Tiles without the global view, where a family cuts pictures into tiles; 0 and 0 when it was not cut. */
  readonly tileRows?: number;
  readonly tileColumns?: number;
  /** Frames that the encoder sees of it, each with as many features: Idefics2 has five or one. */
  readonly frames?: number;
}

/** How one family writes a picture into a prompt, as text before tokenization. */
export interface ImageTokenLayout {
  /** The token that the image features replace. */
  readonly imageToken: string;
  /** False where the template writes no image token and pictures stand outside of what it renders. */
  readonly inTemplate?: false;
  /** Most pictures of one chat, where the family's processor has a limit. */
  readonly maxImages?: number;
  /** The layout writes the special tokens, where others leave them to the tokenizer's post-processor. */
  readonly writesSpecialTokens?: true;
  /** Replaces what the template wrote for each picture; `images` are as many as the template wrote. */
  expand(prompt: PromptText, images: readonly ImageFeatureGrid[]): PromptText;
}
