import { describe, expect, it } from "vitest";
import { toMessages } from "./conversation.ts";

describe("toMessages", () => {
  it("puts the picture before the text of the first question", () => {
    expect(toMessages("data:image/png;base64,AA==", [], "What is this?")).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
          { type: "text", text: "What is this?" },
        ],
      },
    ]);
  });

  it("sends the picture once, however many questions follow", () => {
    const turns = [{ question: "What is this?", answer: "A bee." }];
    const messages = toMessages("data:image/png;base64,AA==", turns, "Where is the bee?");
    expect(messages.map((message) => message.role)).toEqual(["user", "assistant", "user"]);
    expect(messages[1]).toEqual({ role: "assistant", content: "A bee." });
    expect(messages[2]).toEqual({ role: "user", content: "Where is the bee?" });
  });

  it("asks without a picture too", () => {
    expect(toMessages(undefined, [], "Hello!")).toEqual([{ role: "user", content: "Hello!" }]);
  });
});
