import { MAX_IMAGE_FILE_BYTES, MAX_IMAGE_PIXELS } from "../../../../shared/limits/image.ts";
import { formatBytes } from "./timeline.ts";

/** A picture that is ready to be asked about: the file as it is, nothing scaled or encoded anew. */
export interface Picture {
  readonly name: string;
  readonly dataUri: string;
  /** For `<img>`; lives until `release`. */
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly release: () => void;
}

/** Why a file cannot be asked about, in words for the page. */
export class PictureError extends Error {
  override readonly name = "PictureError";
}

/**
 * Reads a file that was dropped, pasted or chosen.
 * @throws PictureError when the API would refuse it for its size, or the browser cannot show it
 */
export async function readPicture(file: Blob, name: string): Promise<Picture> {
  // Which kinds of picture are read is the API's to say, and it says it well; this is for films, texts and folders.
  if (!file.type.startsWith("image/")) throw new PictureError(`${name} is not a picture.`);
  if (file.size > MAX_IMAGE_FILE_BYTES) {
    const limit = formatBytes(MAX_IMAGE_FILE_BYTES);
    throw new PictureError(`${name} has ${formatBytes(file.size)}; a picture may have ${limit}. Save it smaller.`);
  }
  const url = URL.createObjectURL(file);
  const release = (): void => URL.revokeObjectURL(url);
  try {
    const { naturalWidth: width, naturalHeight: height } = await decode(url, name);
    if (width * height > MAX_IMAGE_PIXELS) {
      const megapixels = (pixels: number): string => (pixels / 1e6).toFixed(1);
      throw new PictureError(
        `${name} has ${megapixels(width * height)} megapixels; a picture may have ` +
          `${megapixels(MAX_IMAGE_PIXELS)}. Save it smaller, or send a cut of it.`,
      );
    }
    return { name, dataUri: await toDataUri(file), url, width, height, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function decode(url: string, name: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new PictureError(`${name} cannot be read as a picture. It may be damaged.`);
  }
  return image;
}

function toDataUri(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    const refuse = (): void => reject(new PictureError("The file could not be read. Choose it again."));
    reader.addEventListener("load", () => (typeof reader.result === "string" ? resolve(reader.result) : refuse()));
    reader.addEventListener("error", refuse);
    reader.readAsDataURL(file);
  });
}
