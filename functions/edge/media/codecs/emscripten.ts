import { FoveaError } from "../../../../shared/errors/error.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";

interface RgbaPicture {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** What jSquash's decoders export: one function, null when the file is damaged. */
export interface JsquashDecoder {
  decode(bytes: Uint8Array, ...options: unknown[]): RgbaPicture | null;
}

type ModuleFactory = (options: {
  noInitialRun: boolean;
  instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}) => Promise<JsquashDecoder>;

/** Starts an Emscripten module from a module that is compiled already. */
export function startEmscripten(factory: unknown, module: WebAssembly.Module): Promise<JsquashDecoder> {
  return (factory as ModuleFactory)({
    noInitialRun: true,
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance);
      return instance.exports;
    },
  });
}

export function decodeWith(
  decoder: JsquashDecoder,
  name: string,
  bytes: Uint8Array,
  ...options: unknown[]
): DecodedPicture {
  const picture = decoder.decode(bytes, ...options);
  if (picture === null) throw new FoveaError("invalid_image", `The ${name} file is damaged.`);
  const { data, width, height } = picture;
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    width,
    height,
    channels: 4,
    upright: false,
  };
}
