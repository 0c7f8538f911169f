import { buildPlayground } from "../infra/build/playground.ts";
import { SHARED_STACK, startOwnStack } from "./stack.ts";

/** Starts one stack before the end-to-end tests and stops it after them. */
export default async function setup(): Promise<() => Promise<void>> {
  await buildPlayground();
  const stack = await startOwnStack();
  const { edgeUrl, originUrl, apiKey, originKeys, s3 } = stack;
  process.env[SHARED_STACK] = JSON.stringify({ edgeUrl, originUrl, apiKey, originKeys, s3 });
  return () => stack.stop();
}
