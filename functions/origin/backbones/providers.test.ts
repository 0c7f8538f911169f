import { describe, expect, it } from "vitest";
import { chooseProvider, ProviderError, type Provider, type ProviderWish } from "./providers.ts";

const cpu = ["cpu"];
const gpu = ["cpu", "webgpu", "cuda"];

describe("chooseProvider", () => {
  it.each<[ProviderWish, string[], [Provider, string][], Provider, string]>([
    ["cpu", gpu, [], "cpu", "as set"],
    ["webgpu", gpu, [], "webgpu", "as set"],
    ["cuda", gpu, [], "cuda", "as set"],
    ["auto", gpu, [], "cuda", "fastest"],
    ["auto", gpu, [["cuda", "no driver"]], "webgpu", "cuda: no driver"],
    [
      "auto",
      gpu,
      [
        ["cuda", "no driver"],
        ["webgpu", "no adapter"],
      ],
      "cpu",
      "webgpu: no adapter",
    ],
    ["auto", cpu, [], "cpu", "no cuda"],
  ])("%s of %j, failed %j -> %s", (wish, offered, failures, provider, reason) => {
    const choice = chooseProvider(wish, new Set(offered), new Map(failures));
    expect(choice.provider).toBe(provider);
    expect(choice.reason).toContain(reason);
  });

  it("refuses what was asked for by name and cannot be had, with what to do", () => {
    const choose = (wish: ProviderWish, offered: string[], failures: [Provider, string][] = []) =>
      chooseProvider(wish, new Set(offered), new Map(failures));
    expect(() => choose("cuda", cpu)).toThrow(ProviderError);
    expect(() => choose("cuda", cpu)).toThrow(/has no cuda\. auto takes.*npm rebuild onnxruntime-node/);
    expect(() => choose("webgpu", gpu, [["webgpu", "no adapter"]])).toThrow(/webgpu was set, but no adapter/);
  });
});
