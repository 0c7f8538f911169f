import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { defineCommand } from "citty";
import { buildPlayground } from "../build/playground.ts";
import { BUILTIN_EXAMPLES, BUILTIN_MODEL } from "../local/builtin.ts";
import { onClosedPipe } from "../closed-pipe.ts";
import { quote } from "../quote.ts";
import { UnavailableError, UsageError, wholeNumber } from "../usage.ts";
import { untilAborted } from "../process/until-aborted.ts";
import { localDirectory } from "../local/running.ts";
import { startStack, type Stack } from "../local/stack.ts";

/** `fovea dev`, which is what `npm start` runs: everything on this machine, until Ctrl-C. */
export default defineCommand({
  meta: { name: "dev", description: "Run edge, encoder, object store and origin on this machine (npm start)" },
  args: {
    port: { type: "string", default: "8787", description: "Port of the edge" },
    "origin-port": { type: "string", default: "8788", description: "Port of the origin" },
    dir: {
      type: "string",
      valueHint: "folder",
      description: "Folder of the local bucket, secrets and caches (default: FOVEA_DIR, else .fovea of the checkout)",
    },
  },
  async run({ args }) {
    const port = wholeNumber("port", args.port, 0, 65_535);
    const originPort = wholeNumber("origin-port", args["origin-port"], 0, 65_535);
    if (port === originPort && port !== 0) throw new UsageError("--port and --origin-port must differ");
    const directory = localDirectory(args.dir);
    const started = performance.now();
    const stopped = whenInterrupted();
    const starting = new AbortController();
    void stopped.then(() => starting.abort());
    const { signal } = starting;
    const stack = await untilAborted(buildPlayground(), signal)
      .then(() =>
        startStack({
          port,
          originPort,
          directory,
          apiKey: process.env["FOVEA_API_KEY"] ?? "fovea-local",
          signal,
          onStep: (step) => console.log(`${step} ...`),
        }),
      )
      .catch((error: unknown) => {
        if (!signal.aborted) throw error;
        // Work that nobody waits for any more may still be going on.
        return process.exit(130);
      });
    announce(stack, await writeExampleRequest(directory), performance.now() - started);
    const words = await Promise.race([stopped, stack.originEnded]);
    console.log("\nStopping ...");
    await stack.stop();
    if (words !== undefined) throw new UnavailableError(`The origin ended by itself:\n${words}`);
  },
});

/** Settles at the first Ctrl-C or SIGTERM, or when nobody reads any more; a second signal ends at once. */
function whenInterrupted(): Promise<undefined> {
  return new Promise((resolve) => {
    onClosedPipe(() => resolve(undefined));
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        resolve(undefined);
        process.once(signal, () => process.exit(130));
      });
    }
  });
}

function announce(stack: Stack, request: string, ms: number): void {
  console.log(`
Ready in ${(ms / 1000).toFixed(1)} s.

  Playground  ${stack.edgeUrl}/#key=${encodeURIComponent(stack.apiKey)}
  API         ${stack.edgeUrl}/v1   (key: ${stack.apiKey})
  Origin      ${stack.originUrl}

Try it:

  curl ${stack.edgeUrl}/v1/chat/completions \\
    -H 'authorization: Bearer ${stack.apiKey}' -H 'content-type: application/json' \\
    -d ${quote(`@${request}`)}

Ctrl-C stops everything.`);
}

/** A request about one of the model's examples, as a file: a picture is too long for a command line. */
async function writeExampleRequest(directory: string): Promise<string> {
  const picture = await readFile(path.join(BUILTIN_EXAMPLES, "02_what.jpg"), "base64");
  const file = path.resolve(directory, "request.json");
  const content = [
    { type: "image_url", image_url: { url: `data:image/jpeg;base64,${picture}` } },
    { type: "text", text: "What is this?" },
  ];
  await writeFile(file, JSON.stringify({ model: BUILTIN_MODEL, messages: [{ role: "user", content }] }));
  return file;
}
