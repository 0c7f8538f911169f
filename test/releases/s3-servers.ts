import { spawn } from "node:child_process";
import { once } from "node:events";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { freePort } from "../../infra/local/ports.ts";
import type { S3Options } from "../../infra/store/s3-store.ts";

/** A running S3 server with an empty bucket. */
export interface S3Server {
  readonly bucket: string;
  readonly options: S3Options & { readonly endpoint: string };
  close(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: "local-access-key", secretAccessKey: "local-secret-key" };
const BUCKET = "fovea-test";

/** The S3 endpoint that Miniflare serves over its local R2: what `npm start` publishes into. */
export async function startMiniflareS3(): Promise<S3Server> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      modules: true,
      script: "export default { fetch: () => new Response(null, { status: 404 }) }",
      compatibilityDate: "2026-10-01",
      telemetry: { enabled: false },
      r2Buckets: { RELEASES: { id: BUCKET, s3Credentials: CREDENTIALS } },
    }),
  );
  const url = await miniflare.ready;
  const endpoint = new URL("/cdn-cgi/local/r2/s3", url).href;
  return { bucket: BUCKET, options: { endpoint, ...CREDENTIALS }, close: () => miniflare.dispose() };
}

/** moto's S3 (PyPI `moto[server]`): an implementation that shares no code with ours nor with Miniflare's. */
export async function startMoto(python: string): Promise<S3Server> {
  const port = await freePort(0, "--port");
  const child = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  const exited = once(child, "exit");
  const endpoint = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    const up = await fetch(`${endpoint}/moto-api/data.json`)
      .then((answer) => answer.ok)
      .catch(() => false);
    if (up) break;
    if (attempt > 300 || child.exitCode !== null) throw new Error("moto did not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: CREDENTIALS });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  return {
    bucket: BUCKET,
    options: { endpoint, region: "us-east-1", ...CREDENTIALS },
    async close() {
      child.kill();
      await exited;
    },
  };
}
