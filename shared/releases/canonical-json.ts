/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * The canonical form of RFC 8785 (JSON Canonicalization Scheme): no white space, members sorted by UTF-16 code units,
 * numbers and strings as ECMAScript prints them. Equal documents have equal bytes, so a digest names a document.
 * Throws a TypeError for what I-JSON cannot hold: non-finite numbers, lone surrogates.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return canonicalString(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError("Canonical JSON holds finite numbers only.");
    return JSON.stringify(value);
  }
  if (isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  // The default order of Array.prototype.sort is the order of UTF-16 code units that RFC 8785 3.2.3 asks for.
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${canonicalString(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${members.join(",")}}`;
}

export function canonicalBytes(value: JsonValue): Uint8Array<ArrayBuffer> {
  // Copied into an array of its own kind: the runtimes' types disagree on what `encode` gives.
  return new Uint8Array(new TextEncoder().encode(canonicalJson(value)));
}

function canonicalString(text: string): string {
  // With the u flag a pair of surrogates is one code point, so this finds the lone ones.
  if (/\p{Surrogate}/u.test(text)) throw new TypeError("Canonical JSON holds no lone surrogates.");
  return JSON.stringify(text);
}

/** Array.isArray does not narrow a readonly array. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
