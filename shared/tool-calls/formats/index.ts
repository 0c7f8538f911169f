import type { ToolCallFormat } from "../tool-call-format.ts";
import { glm } from "./glm.ts";
import { hermes } from "./hermes.ts";
import { llama } from "./llama.ts";
import { mistral, mistralArgs } from "./mistral.ts";
import { qwenXml } from "./qwen-xml.ts";

/** All formats; where several would do, the first is taken. */
export const TOOL_CALL_FORMATS: readonly ToolCallFormat[] = [qwenXml, glm, hermes, mistralArgs, mistral, llama];

/** Control tokens that may stand in an answer, of all formats. */
export const TOOL_CALL_MARKERS: ReadonlySet<string> = new Set(TOOL_CALL_FORMATS.flatMap(({ markers }) => markers));
