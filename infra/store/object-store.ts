/** What is known of an object without reading it. The ETag is opaque: it only tells versions of one key apart. */
export interface ObjectInfo {
  readonly size: number;
  readonly etag: string;
}

export interface StoredObject extends ObjectInfo {
  /** Milliseconds since 1970, by the store's clock. */
  readonly modifiedAt: number;
}

export interface ListedObject extends Omit<StoredObject, "etag"> {
  readonly key: string;
}

export interface PutCondition {
  /** Create only: fails when the key exists. */
  readonly ifNoneMatch?: "*";
  /** Replace only: fails when the object is no longer the one with this ETag. */
  readonly ifMatch?: string;
}

export interface GetOptions {
  readonly range?: { readonly offset: number; readonly length: number };
  readonly into?: Uint8Array;
}

/**
 * A bucket. One driver per file, one contract suite for all (`contract.ts`). Keys are those of shared/releases/keys.ts.
 * A driver throws StoreError for what the store said, whatever its own library throws.
 */
export interface ObjectStore {
  /** As the user may name it: `s3://bucket`, `file:path`. */
  readonly url: string;
  /**
   * The object's bytes, or those of a range; null when there is none. Beyond the end a range is cut. With `into` they are
   * written there and a view of it is given; an object that is longer is refused.
   */
  get(key: string, options?: GetOptions): Promise<Uint8Array | null>;
  /** Writes whole or not at all. Throws StoreError `precondition_failed`. */
  put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectInfo>;
  head(key: string): Promise<StoredObject | null>;
  /** Makes `modifiedAt` now and leaves the bytes, which do not travel; false when there is no such object. */
  touch(key: string): Promise<boolean>;
  /** In the order of UTF-8 bytes of the key. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Also true for the caller when there was none. */
  delete(key: string): Promise<void>;
  /** Lets go of connections. */
  close(): void;
}

export type StoreFault =
  "precondition_failed" | "access_denied" | "bucket_missing" | "throttled" | "unreachable" | "refused";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.fault = fault;
  }
}
