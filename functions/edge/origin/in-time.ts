import { FoveaError } from "../../../shared/errors/error.ts";

/**
 * What the origin is asked for, unless it takes longer than `ms` milliseconds: then `giveUp` fires, which ends the fetch.
 * @throws FoveaError `origin_timeout`, whether or not the fetch heeds the signal
 */
export async function inTime<T>(work: Promise<T>, ms: number, giveUp: AbortController): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new FoveaError("origin_timeout", "The origin did not answer in time. Try again.");
      reject(error);
      giveUp.abort(error);
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    if (timer !== null) clearTimeout(timer);
    // Whichever lost the race is nobody's business any more
    work.catch(() => undefined);
  }
}
