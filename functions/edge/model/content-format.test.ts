import { describe, expect, it } from "vitest";
import { ChatTemplate } from "../../../shared/chat-template/chat-template.ts";
import { contentFormats } from "./content-format.ts";

const formats = (source: string) => contentFormats(ChatTemplate.parse(source, { controlTokens: [] }));

describe("contentFormats", () => {
  it("is text where a template prints the content", () => {
    const format = formats("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
    expect([format("system"), format("user"), format("assistant")]).toEqual(["text", "text", "text"]);
  });

  it("is parts where a template walks over them", () => {
    const format = formats(
      "{% for m in messages %}{% for p in m['content'] if p['type'] == 'text' %}{{ p['text'] }}{% endfor %}{% endfor %}",
    );
    expect([format("user"), format("assistant")]).toEqual(["parts", "parts"]);
  });

  it("differs by role, as GLM-4V's does", () => {
    const format = formats(
      "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}{% else %}" +
        "{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}{% endfor %}",
    );
    expect([format("system"), format("user")]).toEqual(["text", "parts"]);
  });

  it("probes an assistant's turn after a user's, where turns must alternate", () => {
    const format = formats(
      "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}{% endif %}" +
        "{{ m.content }}{% endfor %}",
    );
    expect(format("assistant")).toBe("text");
  });
});
