import type { EngineHost } from "../engine/host.ts";
import type { GenerateRequest } from "../engine/request.ts";
import type { AnswerObserver } from "../telemetry/observe-answer.ts";
import { AnswerWriter } from "./answer.ts";
import { Unread } from "./unread.ts";

/** How long a whole answer waits for its reader. */
const UNREAD_MS = 30_000;

export interface AnswerStreamOptions {
  readonly engine: Pick<EngineHost, "submit" | "cancel">;
  readonly job: GenerateRequest;
  readonly observer: AnswerObserver;
  /** Gives back what the request held, once. */
  readonly leave: () => void;
  readonly encodeMs: number | undefined;
  readonly unreadMs?: number;
}

/**
 * The answer as a stream that ends when its last event was read: until then it counts as in flight, so unread answers are no
 * more than may be in flight, and each is bounded. The sequence ends with the stream: a client that leaves frees its blocks.
 */
export function streamAnswer(options: AnswerStreamOptions): ReadableStream<Uint8Array> {
  const { engine, job, observer, leave, encodeMs } = options;
  const unread = new Unread();
  let running = true;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (!running) return;
    running = false;
    engine.cancel(job.id);
    observer.cancelled();
  };
  const gone = (): void => {
    clearTimeout(timer);
    stop();
    leave();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const writer = new AnswerWriter((text) => unread.push(text), encodeMs);
        const end = (): void => {
          running = false;
          unread.end();
          timer = setTimeout(() => {
            gone();
            controller.error(new Error("The answer was not read."));
          }, options.unreadMs ?? UNREAD_MS).unref();
        };
        engine.submit(job, (event) => {
          observer.event(event);
          if (writer.push(event)) return end();
          if (!unread.full) return;
          stop();
          writer.push({
            type: "error",
            id: job.id,
            code: "origin_timeout",
            message: "The answer was not read in time.",
          });
          end();
        });
      },
      async pull(controller) {
        const bytes = await unread.take();
        if (bytes !== null) return controller.enqueue(bytes);
        clearTimeout(timer);
        controller.close();
        leave();
      },
      cancel: gone,
    },
    { highWaterMark: 0 },
  );
}
