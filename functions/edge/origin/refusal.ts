import { FoveaError } from "../../../shared/errors/error.ts";
import { ERROR_TABLE, type ErrorCode } from "../../../shared/errors/table.ts";
import { heard, type OriginError } from "./heard.ts";

/** Bytes of an error answer that are read; the rest is dropped. */
const MAX_ERROR_BYTES = 65_536;

/** The error that a caller hears where the origin answers with anything but an answer. */
export async function refusal(response: Response): Promise<FoveaError> {
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel().catch(() => undefined);
    return new FoveaError("origin_failed", "The origin sent the request elsewhere. Try again.");
  }
  return heard({ ...parse(await readSome(response)), ...retryAfter(response), status });
}

function parse(text: string): OriginError {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown; param?: unknown } };
    return {
      message: typeof error?.message === "string" ? error.message : "",
      ...(typeof error?.code === "string" &&
        Object.hasOwn(ERROR_TABLE, error.code) && { code: error.code as ErrorCode }),
      ...(typeof error?.param === "string" && { param: error.param }),
    };
  } catch {
    return { message: "" };
  }
}

function retryAfter(response: Response): { retryAfterMs?: number } {
  const ms = Number(response.headers.get("retry-after-ms") ?? Number.NaN);
  return Number.isFinite(ms) && ms >= 0 ? { retryAfterMs: Math.min(ms, 600_000) } : {};
}

async function readSome(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += decoder.decode(next.value as Uint8Array, { stream: true });
    if (text.length > MAX_ERROR_BYTES) break;
  }
  await reader.cancel().catch(() => undefined);
  return text;
}
