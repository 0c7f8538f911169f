import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startStack, type Stack, type StackOptions } from "../infra/local/stack.ts";

/** What a test needs of a running stack. */
export interface TestStack extends Pick<Stack, "edgeUrl" | "originUrl" | "apiKey" | "originKeys" | "s3"> {
  stop(): Promise<void>;
}

/** The web app that the CORS tests speak for. */
export const ALLOWED_ORIGIN = "https://app.example.com";

const bindings = { ALLOWED_ORIGINS: ALLOWED_ORIGIN };

/** Set by the global set-up: the stack that all tests share, as JSON. */
export const SHARED_STACK = "FOVEA_TEST_STACK";

/** The stack that the test run has started: real workerd, real origin, real bucket. Stopping it is not the test's. */
export async function startTestStack(): Promise<TestStack> {
  const shared = process.env[SHARED_STACK];
  if (shared === undefined) return startOwnStack();
  return Promise.resolve({ ...(JSON.parse(shared) as Omit<TestStack, "stop">), stop: () => Promise.resolve() });
}

/** A stack of the test's own, for tests that break a part of it. Same code as `npm start`, in a temporary folder. */
export async function startOwnStack(options: Partial<StackOptions> = {}): Promise<TestStack> {
  const directory = await mkdtemp(path.join(tmpdir(), "fovea-test-"));
  try {
    const stack = await startStack({ port: 0, originPort: 0, directory, apiKey: "test-key", bindings, ...options });
    const { edgeUrl, originUrl, apiKey, originKeys, s3 } = stack;
    let stopping = false;
    // An origin that dies fails every test after it; its last words say why.
    void stack.originEnded.then((words) => stopping || console.error(`The origin ended by itself:\n${words}`));
    return {
      edgeUrl,
      originUrl,
      apiKey,
      originKeys,
      s3,
      async stop() {
        stopping = true;
        await stack.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
