import { describePictureDecoder } from "../../../test/golden/pixels/picture-decoder-contract.ts";
import { codecModules } from "./codec-modules.workerd.ts";
import { createWasmDecoder } from "./wasm-decoder.ts";

// Everything that it reads, it reads as Pillow does
describePictureDecoder(() => createWasmDecoder(codecModules));
