import { describe, expect, it } from "vitest";
import { Admission } from "./admission.ts";

describe("Admission", () => {
  it("refuses with 503 when it is full and with 429 when a key has its share, each with a time to come back", () => {
    const admission = new Admission({ maxInFlight: 3, maxPerKey: 2, concurrency: 1 });
    const first = admission.enter("a");
    admission.enter("a");
    expect(() => admission.enter("a")).toThrow(expect.objectContaining({ code: "rate_limit_exceeded" }));
    admission.enter("b");
    let refusal: unknown;
    try {
      admission.enter("b");
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: "overloaded", status: 503 });
    expect((refusal as { retryAfterMs: number }).retryAfterMs).toBeGreaterThanOrEqual(250);
    first.release();
    first.release();
    expect(admission.inFlight).toBe(2);
    expect(() => admission.enter("a")).not.toThrow();
    expect(admission.refused).toEqual({ overloaded: 1, rate_limit_exceeded: 1 });
  });

  it("lets nobody in while it drains", () => {
    const admission = new Admission({ maxInFlight: 3, maxPerKey: 2, concurrency: 1 });
    admission.drain();
    expect(() => admission.enter("a")).toThrow("going down");
  });
});
