import { createNativeEncoder, type NativeEncoder } from "../../functions/encoder/native/encoder.ts";
import { createDigestHasher } from "../../functions/encoder/native/hasher.ts";
import { shardsInto, type WeightShard } from "../../shared/encoder/program/load.ts";
import { benchPixels } from "./pixels.ts";

interface Env {
  readonly FILES: { fetch(url: string): Promise<Response> };
}

let encoder: NativeEncoder | undefined;
let memory = 0;

/** /load?files=FOLDER, /run?side=224, /memory: the clock is outside, because it stands still in here. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/memory") return new Response(String(memory));
    if (pathname === "/load") {
      const at = `http://files/${searchParams.get("files") ?? ""}`;
      const listed: unknown = await (await env.FILES.fetch(`${at}/shards.json`)).json();
      const shards = listed as readonly WeightShard[];
      const program = new Uint8Array(await (await env.FILES.fetch(`${at}/program`)).arrayBuffer());
      const read = async function* (index: number): AsyncIterable<Uint8Array> {
        const { body } = await env.FILES.fetch(`${at}/shard-${index}`);
        if (body === null) throw new Error("A shard is missing.");
        yield* body as unknown as AsyncIterable<Uint8Array>;
      };
      encoder = await createNativeEncoder(program, shardsInto({ shards, read, createHasher: createDigestHasher }));
      memory = encoder.memoryBytes;
      return new Response("ok");
    }
    const side = Number(searchParams.get("side"));
    if (encoder === undefined) return new Response("nothing loaded", { status: 409 });
    const { image_features } = await encoder.encode({ pixel_values: benchPixels(side), shape: [1, 3, side, side] });
    return new Response(image_features as Float32Array<ArrayBuffer>);
  },
};
