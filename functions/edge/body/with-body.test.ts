import { describe, expect, it } from "vitest";
import { MAX_GATE_WAIT_MS, SMALL_BODY_BYTES } from "../../../shared/limits/gates.ts";
import { MAX_REQUEST_BODY_BYTES } from "../../../shared/limits/limits.ts";
import { withBody, type HeldBody } from "./with-body.ts";

/** A request whose length is said, or not. */
function request(bytes: number, { said = true } = {}): Request {
  const body = said ? new Uint8Array(bytes) : new Blob([new Uint8Array(bytes)]).stream();
  const headers: HeadersInit = said ? { "content-length": String(bytes) } : {};
  return new Request("https://fovea.test/", { method: "POST", body, headers });
}

/** A body that its job keeps. */
async function kept(of: Request, owner = "a"): Promise<HeldBody & { readonly end: () => Promise<void> }> {
  let end = (): void => undefined;
  let job: Promise<void> = Promise.resolve();
  const held = await new Promise<HeldBody>((resolve, reject) => {
    job = withBody(of, owner, (body) => {
      resolve(body);
      return new Promise<void>((done) => {
        end = done;
      });
    });
    job.catch(reject);
  });
  return {
    ...held,
    end: () => {
      end();
      return job;
    },
  };
}

const LARGEST = MAX_REQUEST_BODY_BYTES;

describe("withBody", () => {
  it("lets the next in as soon as a job lets its body go, and not before", async () => {
    const first = await kept(request(LARGEST));
    const file = first.bytes.subarray(1, 5);
    let entered = false;
    const second = kept(request(LARGEST)).then((body) => {
      entered = true;
      return body;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(entered).toBe(false);
    first.letGo();
    expect(file.byteLength).toBe(0);
    await (await second).end();
    await first.end();
  });

  it("holds of a body whose length nobody said what it turned out to take", { timeout: MAX_GATE_WAIT_MS }, async () => {
    const bodies = [
      await kept(request(100, { said: false })),
      await kept(request(2 * SMALL_BODY_BYTES, { said: false })),
    ];
    expect(bodies.map(({ bytes }) => bytes.buffer.byteLength)).toEqual([100, 2 * SMALL_BODY_BYTES]);
    bodies.push(await kept(request(LARGEST - 2 * SMALL_BODY_BYTES)));
    for (const { end } of bodies) await end();
  });
});
