import { StoreError, type ObjectStore } from "../store/object-store.ts";

/** A store that fails where a test says so: as a crash would look from outside. Counts what was written. */
export function flakyStore(
  inner: ObjectStore,
  failOnPut: (key: string) => boolean,
): ObjectStore & { readonly puts: string[] } {
  const puts: string[] = [];
  return {
    ...inner,
    puts,
    async put(key, bytes, condition) {
      if (failOnPut(key)) throw new StoreError("unreachable", `crashed before ${key} was written`);
      const info = await inner.put(key, bytes, condition);
      puts.push(key);
      return info;
    },
  };
}
