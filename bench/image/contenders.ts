import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createWasmDecoder } from "../../functions/edge/media/wasm-decoder.ts";
import { loadCodecModules } from "../../infra/commands/inspect/codec-modules.node.ts";
import { decodeImage } from "../../shared/image/decode-image.ts";
import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import { Resampling } from "../../shared/image/resample/filters.ts";
import { resize, resizeRows, type ResizeRows } from "../../shared/image/resample/resize.ts";
import { createWasmResize } from "../../shared/image/resample/wasm-resize.ts";
import type { RgbImage } from "../../shared/image/rgb-image.ts";
import { normalizeRgb, SIDE, type Contender } from "./contender.ts";

const SIGLIP = { image_processor_type: "SiglipImageProcessor", size: { height: SIDE, width: SIDE } };
const BICUBIC = { width: SIDE, height: SIDE, resample: Resampling.BICUBIC };

async function ours(name: string, rows: (resample: WebAssembly.Module) => ResizeRows): Promise<Contender> {
  const modules = await loadCodecModules();
  const decoder = createWasmDecoder(modules);
  const resizer = rows(modules.resample);
  const processor = createImageProcessor(SIGLIP, undefined, undefined, { resize: resizer, patch: 14 });
  return {
    name,
    decode: (file) => decodeImage(file, decoder),
    resize: async (decoded) => resize(decoded as RgbImage, BICUBIC, resizer),
    whole: async (file) => processor.toPixelValues(processor.process(await decodeImage(file, decoder))),
  };
}

async function compiled(file: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve(file))));
}

async function jsquash(): Promise<Contender> {
  const jpeg = await import("@jsquash/jpeg/decode.js");
  const png = await import("@jsquash/png/decode.js");
  const squash = await import("@jsquash/resize");
  await jpeg.init(await compiled("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"));
  await png.init(await compiled("@jsquash/png/codec/pkg/squoosh_png_bg.wasm"));
  await squash.initResize(await compiled("@jsquash/resize/lib/resize/pkg/squoosh_resize_bg.wasm"));
  const decode = async (file: Uint8Array): Promise<ImageData> => {
    const copy = new Uint8Array(file).buffer;
    return file[0] === 0xff ? jpeg.default(copy) : png.default(copy);
  };
  const options = { width: SIDE, height: SIDE, method: "catrom", premultiply: false, linearRGB: false } as const;
  return {
    name: "jSquash",
    decode,
    resize: (decoded) => squash.default(decoded as ImageData, options),
    whole: async (file) => normalizeRgb((await squash.default(await decode(file), options)).data, 4),
  };
}

async function photon(): Promise<Contender> {
  const { PhotonImage, resize: resizePhoton, SamplingFilter } = await import("@silvia-odwyer/photon-node");
  const decode = (file: Uint8Array): InstanceType<typeof PhotonImage> => PhotonImage.new_from_byteslice(file);
  return {
    name: "photon",
    decode: async (file) => decode(file),
    resize: async (decoded) => {
      resizePhoton(decoded as InstanceType<typeof PhotonImage>, SIDE, SIDE, SamplingFilter.CatmullRom).free();
    },
    whole: async (file) => {
      const image = decode(file);
      const small = resizePhoton(image, SIDE, SIDE, SamplingFilter.CatmullRom);
      const values = normalizeRgb(small.get_raw_pixels(), 4);
      image.free();
      small.free();
      return values;
    },
  };
}

async function wasmVips(): Promise<Contender> {
  const { default: Vips } = await import("wasm-vips");
  const vips = await Vips({ dynamicLibraries: [] });
  vips.concurrency(1);
  // A cache would answer the second run without doing it
  vips.Cache.max(0);
  type Image = ReturnType<typeof vips.Image.newFromBuffer>;
  const shrink = (image: Image): Image =>
    image.resize(SIDE / image.width, { vscale: SIDE / image.height, kernel: "cubic" });
  return {
    name: "wasm-vips",
    decode: async (file) => {
      const image = vips.Image.newFromBuffer(file);
      const memory = image.copyMemory();
      image.delete();
      return memory;
    },
    resize: async (decoded) => {
      const small = shrink(decoded as Image);
      const bytes = small.writeToMemory();
      small.delete();
      return bytes;
    },
    whole: async (file) => {
      const image = vips.Image.newFromBuffer(file);
      const small = shrink(image);
      const values = normalizeRgb(small.writeToMemory() as unknown as Uint8Array, small.bands);
      small.delete();
      image.delete();
      return values;
    },
  };
}

async function native(): Promise<Contender> {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
  const size = { fit: "fill", kernel: "cubic" } as const;
  return {
    name: "sharp (native)",
    decode: (file) => sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true }),
    resize: (decoded) => {
      const { data, info } = decoded as { data: Buffer; info: { width: number; height: number; channels: 3 } };
      const raw = { width: info.width, height: info.height, channels: info.channels };
      return sharp(data, { raw }).resize(SIDE, SIDE, size).raw().toBuffer();
    },
    whole: async (file) => normalizeRgb(await sharp(file).removeAlpha().resize(SIDE, SIDE, size).raw().toBuffer(), 3),
  };
}

/** Name -> start. Each runs in a process of its own. */
export const CONTENDERS: Readonly<Record<string, () => Promise<Contender>>> = {
  fovea: () => ours("fovea", createWasmResize),
  typescript: () => ours("fovea, resize in TypeScript", () => resizeRows),
  jsquash,
  photon,
  "wasm-vips": wasmVips,
  sharp: native,
};
