/** A message of `POST /v1/chat/completions`, as far as the page writes it. */
export interface Message {
  readonly role: "user" | "assistant";
  readonly content: string | readonly ContentPart[];
}

export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } };

/** A question that got its whole answer. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
}

/**
 * The messages that ask `question` after `turns`. The picture stands in the first question, before the text, as the
 * model was trained; later questions refer to it. Without a picture the question goes alone.
 */
export function toMessages(dataUri: string | undefined, turns: readonly Turn[], question: string): Message[] {
  const questions = [...turns.map((turn) => turn.question), question];
  return questions.flatMap((text, index): Message[] => {
    const answer = turns[index]?.answer;
    const content: Message["content"] =
      index === 0 && dataUri !== undefined
        ? [
            { type: "image_url", image_url: { url: dataUri } },
            { type: "text", text },
          ]
        : text;
    const asked: Message = { role: "user", content };
    return answer === undefined ? [asked] : [asked, { role: "assistant", content: answer }];
  });
}
