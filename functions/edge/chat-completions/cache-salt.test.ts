import { describe, expect, it } from "vitest";
import { tenantOf } from "../../../shared/frame/tenant.ts";
import { frameSalt } from "./cache-salt.ts";

describe("frameSalt", () => {
  it("names one tenant for a key, whatever cache_salt its client sends", async () => {
    const salts = await Promise.all(["", "a", "b", "c"].map((salt) => frameSalt("key", salt)));
    expect(new Set(salts.map(tenantOf)).size).toBe(1);
    expect(new Set(salts).size).toBe(4);
  });

  it("names another tenant, and other caches, for another key", async () => {
    const [one, other] = [await frameSalt("key", "salt"), await frameSalt("keys", "alt")];
    expect(tenantOf(one)).not.toBe(tenantOf(other));
    expect(one.slice(16)).not.toBe(other.slice(16));
    expect(one).toMatch(/^[0-9a-f]{48}$/);
  });
});
