import { describePictureDecoder } from "../../../test/golden/pixels/picture-decoder-contract.ts";
import { createSharpDecoder } from "./sharp-decoder.ts";

describePictureDecoder(createSharpDecoder, { lacks: /^bmp|cmyk/ });
