import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { EngineHost } from "../../functions/origin/engine/host.ts";
import type { EngineEvent } from "../../functions/origin/engine/request.ts";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { builtinSource, request, SETTINGS } from "./builtin.ts";

const FOLDER = new URL("../../model-artifacts/moji-vlm-9m/", import.meta.url);
const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(new URL(name, FOLDER), "utf8"));

it("an engine that has followed a grammar can be closed: a promotion waits for that", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "fovea-close-"));
  try {
    const tokenizer = path.join(folder, "tokenizer.bin");
    await writeFile(tokenizer, compileTokenizer(await read("tokenizer.json"), await read("tokenizer_config.json")));
    const engine = await EngineHost.start({ backbone: builtinSource(), settings: SETTINGS, tokenizer });
    const sampling = { max_tokens: 8, json_schema: '{"type":"boolean"}' };
    const last = await new Promise<EngineEvent>((resolve) => {
      engine.submit(request({ tokenIds: [1, 8, 9], sampling }), (event) => {
        if (event.type === "end" || event.type === "error") resolve(event);
      });
    });
    expect(last.type).toBe("end");
    await engine.close();
    expect(engine.failure).not.toBeNull();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
