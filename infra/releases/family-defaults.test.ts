import path from "node:path";
import { describe, expect, it } from "vitest";
import { ChatTemplate } from "../../shared/chat-template/chat-template.ts";
import { FoveaError } from "../../shared/errors/error.ts";
import { ROOT } from "../paths.ts";
import { BUILTIN_DIR } from "../local/builtin.ts";
import { familyDefaults } from "./family-defaults.ts";
import { readPlanned } from "./file-plan.ts";
import { hashRelease } from "./hash-release.ts";
import { planRelease } from "./plan-release.ts";

const PALIGEMMA = path.join(ROOT, "test/zoo/models/paligemma");
const named = { model: "m", version: "1" };

describe("familyDefaults", () => {
  it("go into the release: how prompts are read, with the runtime that it takes", async () => {
    const planned = await planRelease(PALIGEMMA);
    const prompt = { attention: "prefix", firstPosition: 1 } as const;
    expect(planned.stages.backbone?.prompt).toEqual(prompt);
    const release = await hashRelease(planned, named);
    expect(release.minimumRuntime).toBe("0.2.0");
    const { backbone } = planned.stages;
    if (backbone === undefined) throw new Error("the model has a backbone");
    const causal = { ...backbone, prompt: { ...prompt, attention: "causal" as const } };
    const other = await hashRelease({ ...planned, stages: { ...planned.stages, backbone: causal } }, named);
    expect(other.contractId).not.toBe(release.contractId);
  });

  it("leave releases of other families to older runtimes", async () => {
    const planned = await planRelease(BUILTIN_DIR);
    expect(planned.stages.backbone).not.toHaveProperty("prompt");
    expect((await hashRelease(planned, named)).minimumRuntime).toBe("0.1.0");
  });

  it("bring a chat template for a folder without one", async () => {
    const planned = await planRelease(PALIGEMMA);
    const [program] = planned.stages.chat_template?.files ?? [];
    const file = planned.files.find(({ name }) => name === program);
    if (file === undefined) throw new Error("the release has a template");
    const bytes = new Uint8Array(file.size);
    await readPlanned(file, 0, bytes);
    expect(new TextDecoder().decode(bytes)).toBe(familyDefaults("paligemma").chatTemplate);
  });
});

describe("PaliGemma's chat template", () => {
  const template = ChatTemplate.parse(familyDefaults("paligemma").chatTemplate ?? "", { controlTokens: ["<image>"] });
  const render = (...messages: readonly unknown[]): string =>
    template.render(messages as Parameters<typeof template.render>[0], { addGenerationPrompt: true }).text;
  const image = { type: "image" };
  const text = (words: string) => ({ type: "text", text: words });

  it("has the pictures first, then the words", () => {
    const content = [text("Compare"), image, text(" these. "), image];
    expect(render({ role: "user", content })).toBe("<image><image>Compare  these. ");
  });

  it.each([
    ["a system message", { role: "system", content: [text("Be brief.")] }, { role: "user", content: [image] }],
    ["a second turn", { role: "user", content: [image] }, { role: "assistant", content: [text("A cat.")] }],
  ])("refuses %s", (_what, ...messages) => {
    expect(() => render(...messages)).toThrow(FoveaError);
    expect(() => render(...messages)).toThrow("one message");
  });
});
