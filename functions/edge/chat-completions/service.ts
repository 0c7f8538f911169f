import { FoveaError } from "../../../shared/errors/error.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { ReleaseReader } from "../../../shared/releases/release-reader.ts";
import { callerHash } from "../../../shared/releases/pick.ts";
import { edgeModel, type EdgeModel } from "../model/edge-model.ts";
import { releasesOf } from "../releases-of.ts";
import type { EdgeReleases, ResolvedRelease } from "../releases/edge-releases.ts";
import { frameSalt } from "./cache-salt.ts";
import { Choice } from "./choice.ts";
import type { ChatContext } from "./context.ts";
import { answerGrammar, type AnswerTools } from "./grammar.ts";
import { processImages } from "./images.ts";
import { buildPrompt } from "./prompt-ids.ts";
import { qformerInputIds, renderChat } from "./prompt.ts";
import { sendChat } from "./send.ts";
import { toSteps, type ChatStep } from "./steps.ts";
import type { ImageFile } from "./take-images.ts";
import { toolUse } from "./tools.ts";

export interface ChatAnswer {
  /** `name@version`. */
  readonly release: string;
  readonly digest: string;
  readonly prompt_token_ids: Int32Array;
  readonly steps: AsyncGenerator<ChatStep>;
}

/**
 * Answers a chat: everything up to the origin's acceptance of the frame happens before this settles, so whatever is wrong
 * with the request is an error with a status, never an event in a stream. While edge and origin are on different releases
 * for a moment, the origin refuses the one that it does not serve, and a new release may turn out to be broken; another release
 * of the channel is then taken, once.
 */
export async function answerChat(
  request: ChatRequest,
  files: readonly ImageFile[],
  context: ChatContext,
): Promise<ChatAnswer> {
  const releases = releasesOf(context.env, context.settings);
  const caller = await callerHash(request.model, context.apiKey, request.safety_identifier ?? request.user ?? null);
  const release = await releases.resolve(request.model, caller);
  try {
    return await answerWith(release, request, files, context);
  } catch (error) {
    const other = error instanceof FoveaError ? await otherRelease(error, releases, release, caller) : null;
    if (other === null) throw error;
    return answerWith(other, request, files, context);
  }
}

/** The release to take after this failure, null when none would help. */
async function otherRelease(
  error: FoveaError,
  releases: EdgeReleases,
  { release, digest }: ResolvedRelease,
  caller: number,
): Promise<ResolvedRelease | null> {
  if (error.code === "contract_mismatch") return releases.other(release.name, digest);
  if (error.code !== "release_unavailable") return null;
  releases.reportBroken(release.name, digest);
  const next = await releases.resolve(release.name, caller);
  return next.digest === digest ? null : next;
}

/** One release from the first step to the last: pixels, ids and text of an answer are never of two. */
async function answerWith(
  reader: ReleaseReader,
  request: ChatRequest,
  files: readonly ImageFile[],
  context: ChatContext,
): Promise<ChatAnswer> {
  const { stopwatch } = context;
  const model = await edgeModel(reader);
  const used = toolUse(request);
  const tools = used === null ? null : { ...used, format: model.toolCallFormat() };
  const grammar = answerGrammar(request, tools);
  const rendered = await stopwatch.time("tokenize", "edge", () => renderChat(request, model, tools));
  const qformer_input_ids = files.length === 0 ? null : qformerInputIds(rendered, model);
  const pictures = await processImages(
    files,
    model,
    stopwatch,
    qformer_input_ids === null ? {} : { qformer_input_ids },
  );
  context.letGoBody();
  const prompt = await stopwatch.time("tokenize", "edge", () =>
    buildPrompt(
      rendered,
      model,
      pictures.map(({ processed }) => processed),
    ),
  );
  const salt = await frameSalt(context.apiKey, request.cache_salt ?? "");
  const { events, sentAt } = await sendChat({ request, model, prompt, pictures, grammar, salt }, context);
  return {
    release: `${reader.release.name}@${reader.release.version}`,
    digest: reader.digest,
    prompt_token_ids: prompt.token_ids,
    steps: toSteps(events, {
      choices: choicesOf(request, model, tools),
      promptTokens: prompt.token_ids.length,
      onTiming: (timing) => stopwatch.addOrigin(sentAt, timing),
    }),
  };
}

function choicesOf({ n, stop }: ChatRequest, { tokenizer }: EdgeModel, tools: AnswerTools | null): Choice[] {
  const stops = typeof stop === "string" ? [stop] : (stop ?? []);
  return Array.from({ length: n ?? 1 }, (_, index) => new Choice(index, tokenizer, stops, tools));
}
