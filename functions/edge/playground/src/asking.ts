import { streamChat } from "./api/chat.ts";
import { ApiError } from "./api/error.ts";
import { describeBox, findBox } from "./box.ts";
import { toMessages, type Turn } from "./conversation.ts";
import { byId } from "./dom.ts";
import { isAbort, toWords } from "./failure.ts";
import type { Picture } from "./picture.ts";
import { formatMs } from "./timeline.ts";
import { stage } from "./views/stage.ts";
import { addTurn, clearTurns } from "./views/turn.ts";
import { hideWaterfall, renderWaterfall } from "./views/waterfall.ts";

const askButton = byId("ask-button", HTMLButtonElement);
const stopButton = byId("stop-button", HTMLButtonElement);
const again = byId("again", HTMLButtonElement);

interface Asked {
  readonly apiKey: string;
  readonly model: string;
  readonly picture: Picture | undefined;
  readonly question: string;
}

/** One conversation about one picture; at most one question is on its way. */
let turns: Turn[] = [];
let running: AbortController | undefined;

export function isAsking(): boolean {
  return running !== undefined;
}

export function stopAsking(): void {
  running?.abort();
}

/** Forgets the conversation, and what is on its way with it. */
export function startOver(): void {
  stopAsking();
  running = undefined;
  turns = [];
  clearTurns();
  hideWaterfall();
  stage.drawBox(undefined);
  setBusy(false);
}

/**
 * Asks, and shows the answer as it streams. Every failure ends as words in the conversation.
 * @returns the status of a refusal, so that the caller can ask for another key after a 401
 */
export async function ask({ apiKey, model, picture, question }: Asked): Promise<number | undefined> {
  const controller = new AbortController();
  running = controller;
  setBusy(true);
  stage.drawBox(undefined);
  stage.setLooking(picture !== undefined);
  const view = addTurn(question);
  const start = performance.now();
  let answer = "";
  let firstWordMs: number | undefined;

  const keep = (...facts: (string | undefined)[]): void => {
    const box = findBox(answer);
    const drawn = picture === undefined ? undefined : box;
    if (drawn !== undefined) stage.drawBox(drawn);
    view.finish(
      answer,
      facts.filter((fact) => fact !== undefined),
      drawn && describeBox(drawn),
    );
    if (answer !== "") turns.push({ question, answer });
  };

  try {
    const ending = await streamChat({
      apiKey,
      model,
      messages: toMessages(picture?.dataUri, turns, question),
      signal: controller.signal,
      onText(text) {
        if (running !== controller) return;
        firstWordMs ??= performance.now() - start;
        stage.setLooking(false);
        answer += text;
        view.append(text);
      },
    });
    if (running !== controller) return undefined;
    const totalMs = performance.now() - start;
    const tokens = ending.usage?.completion_tokens;
    keep(
      ending.finishReason === "length" ? "cut at the longest answer allowed" : undefined,
      ending.fovea?.release ?? model,
      tokens === undefined ? undefined : `${tokens} ${tokens === 1 ? "token" : "tokens"}`,
      formatMs(totalMs),
    );
    if (ending.fovea !== undefined) {
      renderWaterfall(ending.fovea.timing, { firstWordMs: firstWordMs ?? totalMs, totalMs });
    }
  } catch (error) {
    if (running !== controller) return undefined;
    hideWaterfall();
    if (isAbort(error)) keep("stopped");
    else view.fail(toWords(error));
    return error instanceof ApiError ? error.status : undefined;
  } finally {
    if (running === controller) {
      running = undefined;
      setBusy(false);
    }
  }
  return undefined;
}

function setBusy(busy: boolean): void {
  const [leaving, coming] = busy ? [askButton, stopButton] : [stopButton, askButton];
  const hadFocus = document.activeElement === leaving;
  leaving.hidden = true;
  coming.hidden = false;
  if (hadFocus) coming.focus(); // A hidden button would drop the keyboard to the top of the page.
  again.hidden = busy || turns.length === 0;
  if (!busy) stage.setLooking(false);
}
