import { createOrtEncoder, type OrtEncoder } from "../../functions/encoder/ort/session.ts";
import { benchPixels } from "./pixels.ts";

interface Env {
  readonly FILES: { fetch(url: string): Promise<Response> };
}

let encoder: OrtEncoder | undefined;

/** As ours.workerd.ts, with onnxruntime-web behind the same interface. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/memory") return new Response(String(encoder?.memoryBytes ?? 0));
    if (pathname === "/load") {
      const file = await env.FILES.fetch(`http://files/${searchParams.get("files") ?? ""}`);
      encoder = await createOrtEncoder(new Uint8Array(await file.arrayBuffer()), []);
      return new Response("ok");
    }
    const side = Number(searchParams.get("side"));
    const pixel_values = benchPixels(side);
    if (pathname === "/picture") return new Response("ok");
    if (encoder === undefined) return new Response("nothing loaded", { status: 409 });
    const { image_features } = await encoder.encode([{ pixel_values, shape: [1, 3, side, side] }]);
    return new Response(image_features as Float32Array<ArrayBuffer>);
  },
};
