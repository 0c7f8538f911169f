import { answerEventSchema, type AnswerEvent } from "../../shared/frame/answer.ts";
import { encodeFrame, type FrameInput } from "../../shared/frame/encode.ts";
import { FRAME_CONTENT_TYPE } from "../../shared/frame/schema.ts";
import { importSigningKeys, type SigningKey } from "../../shared/http-signature/keys.ts";
import { signedHeaders } from "../../shared/http-signature/sign.ts";

/** The release that frames name. */
interface Named {
  readonly model: string;
  readonly release: string;
  readonly contract: string;
}

/** Speaks to an origin as an edge does. */
export class OriginClient {
  readonly keys: readonly SigningKey[];
  readonly #base: string;
  readonly #named: Named;

  private constructor(base: string, keys: readonly SigningKey[], named: Named) {
    this.#base = base;
    this.keys = keys;
    this.#named = named;
  }

  static async of(base: string, keys: string, named: Named): Promise<OriginClient> {
    return new OriginClient(base, await importSigningKeys(keys), named);
  }

  get url(): string {
    return `${this.#base}/v1/generate`;
  }

  /** Eight greedy tokens after some ids, unless it says otherwise. */
  frame(
    change: Partial<FrameInput["meta"]> = {},
    ids: Iterable<number> = [1, 50, 60, 70],
    tensors: FrameInput["tensors"] = {},
  ): Uint8Array<ArrayBuffer> {
    const sampling = { max_tokens: 8, temperature: 0, ignore_eos: true };
    const meta = { protocol: 1, ...this.#named, features: [], sampling, ...change };
    return encodeFrame({ meta: { ...meta, protocol: 1 }, token_ids: Int32Array.from(ids), tensors });
  }

  async headers(body: Uint8Array<ArrayBuffer>, key = 0): Promise<Headers> {
    const signer = this.keys[key];
    if (signer === undefined) throw new RangeError("no such key");
    return signedHeaders({ method: "POST", url: this.url, contentType: FRAME_CONTENT_TYPE, body }, signer);
  }

  async post(
    body: Uint8Array<ArrayBuffer>,
    { key, signal }: { readonly key?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Response> {
    const headers = await this.headers(body, key);
    return fetch(this.url, { method: "POST", headers, body, ...(signal && { signal }) });
  }
}

/** All events of an answer. */
export async function events(answer: Response): Promise<AnswerEvent[]> {
  const lines = (await answer.text()).split("\n\n").filter((line) => line !== "");
  return lines.map((line) => answerEventSchema.parse(JSON.parse(line.slice("data: ".length))));
}
