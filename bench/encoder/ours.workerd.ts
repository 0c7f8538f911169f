import { createNativeEncoder, type NativeEncoder } from "../../functions/encoder/native/encoder.ts";
import type { BlobSource } from "../../shared/releases/blob-source.ts";
import { blobKey } from "../../shared/releases/keys.ts";
import { readInto } from "../../shared/releases/read-object.ts";
import type { ReleaseFile } from "../../shared/releases/release.ts";
import { ShardReader } from "../../shared/releases/shard-reader.ts";
import { benchPixels } from "./pixels.ts";

interface Env {
  readonly FILES: { fetch(url: string): Promise<Response> };
}

let encoder: NativeEncoder | undefined;

/** The folder's shards, by the key that a store has them under. */
async function filesOf(env: Env, folder: string): Promise<{ source: BlobSource; weights: ReleaseFile }> {
  const at = `http://files/${folder}`;
  const weights = (await (await env.FILES.fetch(`${at}/weights.json`)).json()) as ReleaseFile;
  const names = new Map(weights.shards.map(({ sha256 }, index) => [blobKey(sha256), `${at}/shard-${index}`]));
  const get = async (key: string) => (await env.FILES.fetch(names.get(key) ?? at)).body;
  return { source: { name: "files", get }, weights };
}

/** Reads as a release is read, each shard over the last one: what a load cannot do without. */
async function readOnly({ source, weights }: Awaited<ReturnType<typeof filesOf>>): Promise<void> {
  const place = new Uint8Array(Math.max(...weights.shards.map(({ size }) => size)));
  for (const { sha256 } of weights.shards) await readInto(source, blobKey(sha256), place);
}

/** /picture?side=224, /read?files=FOLDER, /load?files=FOLDER, /run?side=224, /memory: the clock is outside, because it stands still in here. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/memory") return new Response(String(encoder?.memoryBytes ?? 0));
    if (pathname === "/read" || pathname === "/load") {
      const folder = searchParams.get("files") ?? "";
      const files = await filesOf(env, folder);
      if (pathname === "/read") await readOnly(files);
      else {
        const file = await env.FILES.fetch(`http://files/${folder}/program`);
        const program = new Uint8Array(await file.arrayBuffer());
        const reader = new ShardReader([files.source]);
        encoder = await createNativeEncoder(program, async (place) => void (await reader.file(files.weights, place)));
      }
      return new Response("ok");
    }
    const side = Number(searchParams.get("side"));
    const pixels = benchPixels(side);
    if (pathname === "/picture") return new Response("ok");
    if (encoder === undefined) return new Response("nothing loaded", { status: 409 });
    const writePixels = (place: Float32Array): void => place.set(pixels);
    const { image_features } = await encoder.encode({ shape: [1, 3, side, side], writePixels });
    return new Response(image_features as Float32Array<ArrayBuffer>);
  },
};
