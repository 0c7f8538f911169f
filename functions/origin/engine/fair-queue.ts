import { tenantOf } from "../../../shared/frame/tenant.ts";
import type { GroupState } from "./group.ts";

/** An answered token costs about as much as two prompt tokens (the weights of VTC, arXiv:2401.00588). */
const DECODE_WEIGHT = 2;

/** Counters of tenants that have nothing running. */
const MAX_REMEMBERED_TENANTS = 256;

/**
 * Who goes next: higher priority first, then the tenant that was served fewest tokens (virtual token counter, VTC,
 * arXiv:2401.00588), then who came first. A tenant is an API key (`tenantOf`), whatever its salts. One that comes when nothing
 * of it waits starts no lower than the least served of those that wait, or, when nobody waits, than the one that was the
 * last to: nobody saves up for a burst, and nobody pays later for what it had while the origin was idle.
 */
export class FairQueue {
  #waiting: GroupState[] = [];
  readonly #served = new Map<string, number>();
  /** Requests per tenant that wait or run. */
  readonly #active = new Map<string, number>();
  /** The tenant that was the last to leave the queue. */
  #last: string | null = null;

  get length(): number {
    return this.#waiting.length;
  }

  /** Tenants whose counters are remembered. */
  get tenants(): number {
    return this.#served.size;
  }

  push(group: GroupState): void {
    const tenant = tenantOf(group.request.salt);
    const waits = this.#waiting.some(({ request }) => tenantOf(request.salt) === tenant);
    if (!waits) this.#served.set(tenant, Math.max(this.#servedOf(tenant), this.#level()));
    this.#active.set(tenant, (this.#active.get(tenant) ?? 0) + 1);
    this.#waiting.push(group);
  }

  /** The next one, left in the queue. */
  peek(): GroupState | undefined {
    let best: GroupState | undefined;
    for (const group of this.#waiting) if (best === undefined || this.compare(group, best) < 0) best = group;
    return best;
  }

  remove(group: GroupState): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one !== group);
    if (this.#waiting.length === before) return false;
    this.#last = tenantOf(group.request.salt);
    return true;
  }

  waiting(): readonly GroupState[] {
    return this.#waiting;
  }

  /** Negative when `a` goes before `b`. */
  compare(a: GroupState, b: GroupState): number {
    const served = (group: GroupState): number => this.#servedOf(tenantOf(group.request.salt));
    return b.request.priority - a.request.priority || served(a) - served(b) || a.arrival - b.arrival;
  }

  charge(salt: string, tokens: { readonly prompt?: number; readonly answer?: number }): void {
    const cost = (tokens.prompt ?? 0) + DECODE_WEIGHT * (tokens.answer ?? 0);
    const tenant = tenantOf(salt);
    this.#served.set(tenant, this.#servedOf(tenant) + cost);
  }

  /** To be called once for each pushed request, when it is over. */
  leave(salt: string): void {
    const tenant = tenantOf(salt);
    const active = (this.#active.get(tenant) ?? 1) - 1;
    if (active > 0) this.#active.set(tenant, active);
    else this.#active.delete(tenant);
    // The table must not grow with the number of tenants ever seen; who is away too long starts at the level again.
    if (this.#served.size > 4 * this.#active.size + MAX_REMEMBERED_TENANTS) {
      for (const known of this.#served.keys())
        if (!this.#active.has(known) && known !== this.#last) this.#served.delete(known);
    }
  }

  #servedOf(tenant: string): number {
    return this.#served.get(tenant) ?? 0;
  }

  /** Where one starts that comes now. */
  #level(): number {
    const waiting = this.#waiting.map(({ request }) => this.#servedOf(tenantOf(request.salt)));
    if (waiting.length > 0) return Math.min(...waiting);
    const running = [...this.#active.keys()].map((tenant) => this.#servedOf(tenant));
    const last = this.#last === null ? 0 : this.#servedOf(this.#last);
    return running.length === 0 ? last : Math.max(last, Math.min(...running));
  }
}
