import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import * as ort from "onnxruntime-node";
import { benchPixels } from "./pixels.ts";

/** onnxruntime-node, which transformers.js runs on in Node, behind the same three paths as the Workers. */
const [folder = "."] = process.argv.slice(2);
let session: ort.InferenceSession | undefined;

async function answer(url: URL): Promise<Uint8Array | string> {
  if (url.pathname === "/memory") return "0";
  if (url.pathname === "/load") {
    const file = path.join(folder, url.searchParams.get("files") ?? "");
    session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    return "ok";
  }
  const side = Number(url.searchParams.get("side"));
  if (url.pathname === "/picture") return String(benchPixels(side).length);
  const pixel_values = new ort.Tensor("float32", benchPixels(side), [1, 3, side, side]);
  const features = (await session?.run({ pixel_values }))?.["image_features"]?.data as Float32Array;
  return new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
}

const server = createServer((request, response) => {
  answer(new URL(request.url ?? "/", "http://bench")).then(
    (body) => response.end(body),
    (thrown: unknown) => response.writeHead(500).end(String(thrown)),
  );
});
server.listen(0, "127.0.0.1", () => {
  console.log(`{"event":"listen","port":${(server.address() as AddressInfo).port}}`);
});
