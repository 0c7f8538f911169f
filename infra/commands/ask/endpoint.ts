import { APIConnectionError, APIError } from "openai";
import { localDirectory, runningStack } from "../../local/running.ts";
import { UnavailableError } from "../../usage.ts";

export interface Endpoint {
  /** With `/v1`, as OpenAI clients take it. */
  readonly baseURL: string;
  /** What to do when it does not answer. */
  readonly otherwise: string;
}

/**
 * A deployment by its URL, with `/v1` or without; without a URL what runs here.
 * @throws UnavailableError when nothing runs here
 */
export async function findEndpoint(url: string | undefined, dir: string | undefined): Promise<Endpoint> {
  const base = (url ?? (await runningStack(dir)).edge).replace(/\/+$/, "").replace(/\/v1$/, "");
  const otherwise =
    url === undefined
      ? `It is named in local.json of ${localDirectory(dir)}; start it again with \`npm start\`, or name a deployment with --url.`
      : "Is the --url right?";
  return { baseURL: `${base}/v1`, otherwise };
}

/** What went wrong, with the endpoint that does not answer or the picture that is none by name. */
export function explain(error: unknown, { baseURL, otherwise }: Endpoint, pictures: readonly string[]): unknown {
  if (error instanceof APIConnectionError) {
    return new UnavailableError(`${baseURL} does not answer. ${otherwise}`, { cause: error });
  }
  if (!(error instanceof APIError)) return error;
  const picture = pictures[Number(/^messages\[0\]\.content\[(\d+)\]/.exec(error.param ?? "")?.[1] ?? -1)];
  return picture === undefined ? error : new UnavailableError(`${picture}: ${error.message}`, { cause: error });
}
