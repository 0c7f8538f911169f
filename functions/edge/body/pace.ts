import { FoveaError } from "../../../shared/errors/error.ts";
import {
  BODY_GRACE_MS,
  MAX_BODY_MS,
  MAX_BODY_SILENCE_MS,
  MIN_BODY_BYTES_PER_MS,
  MIN_PRESSED_BODY_BYTES_PER_MS,
  PRESSED_BODY_GRACE_MS,
} from "../../../shared/limits/gates.ts";

/** How often it is looked at whether others wait. */
const LOOK_MS = 500;

/**
 * How fast a body has to come, since it keeps others waiting: never silent for long, above a least average, in whole within
 * a time; and faster while `isPressed`.
 */
export class BodyPace {
  readonly #isPressed: () => boolean;
  readonly #started = performance.now();

  constructor(isPressed: () => boolean) {
    this.#isPressed = isPressed;
  }

  /**
   * What is read, unless it comes too late.
   *
   * @param length bytes that have come before
   * @throws FoveaError `body_too_slow`
   */
  async inTime<T>(read: Promise<T>, length: number): Promise<T> {
    const silentAt = performance.now() + MAX_BODY_SILENCE_MS;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const late = new Promise<never>((_, reject) => {
      const look = (): void => {
        const left = Math.min(silentAt, this.#dueAt(length)) - performance.now();
        if (left > 0) timer = setTimeout(look, Math.min(left, LOOK_MS));
        else reject(tooSlow());
      };
      look();
    });
    try {
      return await Promise.race([read, late]);
    } finally {
      clearTimeout(timer);
      // Whichever lost the race is nobody's business any more
      read.catch(() => undefined);
      late.catch(() => undefined);
    }
  }

  /** When the byte after so many has to be there. */
  #dueAt(length: number): number {
    const allowed = Math.min(BODY_GRACE_MS + length / MIN_BODY_BYTES_PER_MS, MAX_BODY_MS);
    const pressed = PRESSED_BODY_GRACE_MS + length / MIN_PRESSED_BODY_BYTES_PER_MS;
    return this.#started + (this.#isPressed() ? Math.min(allowed, pressed) : allowed);
  }
}

function tooSlow(): FoveaError {
  return new FoveaError("body_too_slow", "The request body comes too slowly. Send smaller images, or try again.");
}
