export { decodeImage } from "../../../shared/image/decode-image.ts";
