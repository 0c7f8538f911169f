import { describe, expect, it } from "vitest";
import { samplingSchema } from "../../../shared/frame/schema.ts";
import { FairQueue } from "./fair-queue.ts";
import { GroupState } from "./group.ts";

let arrivals = 0;

function group(salt: string, priority = 0): GroupState {
  const sampling = samplingSchema.parse({ max_tokens: 4 });
  const id = `g${arrivals}`;
  return new GroupState({
    request: { id, tokenIds: Int32Array.of(1, 2), features: [], sampling, salt, priority, deadline: null },
    arrival: arrivals++,
    now: 0,
    spec: { maxPositions: 64, eosTokenIds: [], positions: "sequential", mergeSize: 2 },
    longest: 64,
    reusePrefix: false,
    fallbackSeed: 0,
    processors: [],
  });
}

/** Takes all in order; each is charged as if it had been served `tokens`. */
function order(queue: FairQueue, tokens: number): string[] {
  const salts: string[] = [];
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    queue.remove(next);
    queue.charge(next.request.salt, { prompt: tokens });
    salts.push(next.request.salt);
  }
  return salts;
}

describe("FairQueue", () => {
  it("serves first come first served within one tenant", () => {
    const queue = new FairQueue();
    const groups = [group("a"), group("a"), group("a")];
    for (const one of groups) queue.push(one);
    expect(queue.peek()).toBe(groups[0]);
  });

  it("lets a quiet tenant pass a busy one's backlog", () => {
    const queue = new FairQueue();
    for (let i = 0; i < 4; i++) queue.push(group("busy"));
    queue.push(group("quiet"));
    queue.push(group("quiet"));
    expect(order(queue, 100)).toEqual(["busy", "quiet", "busy", "quiet", "busy", "busy"]);
  });

  it("takes a key for one tenant, however many salts its client makes", () => {
    const queue = new FairQueue();
    const tenant = "0123456789abcdef";
    for (let i = 0; i < 4; i++) queue.push(group(`${tenant}${i}`));
    queue.push(group("quiet"));
    queue.push(group("quiet"));
    expect(order(queue, 100).map((salt) => salt.slice(0, 5))).toEqual([
      "01234",
      "quiet",
      "01234",
      "quiet",
      "01234",
      "01234",
    ]);
    expect(queue.tenants).toBe(2);
  });

  it("counts tokens, not requests", () => {
    const queue = new FairQueue();
    queue.push(group("long"));
    queue.push(group("short"));
    queue.charge("long", { prompt: 1000 });
    for (let i = 0; i < 3; i++) queue.push(group("short"));
    queue.push(group("long"));
    queue.charge("short", { answer: 10 });
    expect(queue.peek()?.request.salt).toBe("short");
  });

  it("puts priority before fairness", () => {
    const queue = new FairQueue();
    queue.push(group("a"));
    queue.charge("b", { prompt: 10_000 });
    queue.push(group("b", 5));
    expect(queue.peek()?.request.salt).toBe("b");
  });

  it("gives a tenant no credit for its absence", () => {
    const queue = new FairQueue();
    queue.push(group("steady"));
    queue.charge("steady", { prompt: 5000 });
    queue.push(group("newcomer"));
    queue.charge("newcomer", { prompt: 1 });
    expect(queue.peek()?.request.salt).toBe("steady");
  });

  it("lets nobody pay later for what it had while the origin was idle", () => {
    const queue = new FairQueue();
    const pass = (salt: string, prompt: number): void => {
      const one = group(salt);
      queue.push(one);
      queue.remove(one);
      queue.charge(salt, { prompt });
      queue.leave(salt);
    };
    for (let i = 0; i < 20; i++) pass("early", 400);
    const late = group("late");
    queue.push(late);
    queue.push(group("late"));
    queue.push(group("early"));
    queue.remove(late);
    queue.charge("late", { prompt: 1 });
    expect(queue.peek()?.request.salt).toBe("early");
  });

  it("gives no credit to one that keeps a single request running either", () => {
    const queue = new FairQueue();
    const held = group("held");
    queue.push(held);
    queue.remove(held);
    for (let i = 0; i < 3; i++) queue.push(group("busy"));
    queue.charge("busy", { prompt: 9000 });
    queue.push(group("held"));
    queue.charge("held", { prompt: 1 });
    expect(queue.peek()?.request.salt).toBe("busy");
  });

  it("forgets tenants that are gone", () => {
    const queue = new FairQueue();
    for (let i = 0; i < 2000; i++) {
      const one = group(`tenant-${i}`);
      queue.push(one);
      queue.charge(one.request.salt, { prompt: i });
      queue.remove(one);
      queue.leave(one.request.salt);
    }
    expect(queue.tenants).toBeLessThan(600);
  });
});
