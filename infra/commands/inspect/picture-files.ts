import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { FoveaError } from "../../../shared/errors/error.ts";
import { checkImageFileSize } from "../../../shared/image/header/check-image-limits.ts";

export interface EachOptions<Made> {
  readonly json: boolean;
  /** Ending of the output's name, behind the file's own. */
  readonly suffix: string;
  readonly work: (file: string, outputName: string) => Promise<Made>;
  /** What a line says of a file, behind its name. */
  readonly describe: (made: Made) => string;
}

/**
 * Prints one line a file, with `json` one JSON object a line: `{file, ok: true, ...}` or `{file, ok: false, code, message}`. A
 * file that fails stops nothing; the exit status is 1 then.
 */
export async function inspectEach<Made extends object>(files: readonly string[], options: EachOptions<Made>) {
  const { json, suffix, work, describe } = options;
  /** Output name -> the file that it was written for. */
  const written = new Map<string, string>();
  for (const file of files) {
    let line: object;
    let text: string;
    try {
      const name = `${path.basename(file)}${suffix}`;
      const first = written.get(name);
      if (first !== undefined) {
        throw new FoveaError("invalid_request", `${name} was written for ${first}. Rename one, or use two folders.`);
      }
      const made = await work(file, name);
      written.set(name, file);
      line = { file, ok: true, ...made };
      text = describe(made);
    } catch (error) {
      const failure = failureOf(error);
      line = { file, ok: false, ...failure };
      text = `${failure.code}: ${failure.message}`;
      process.exitCode = 1;
    }
    process.stdout.write(json ? `${JSON.stringify(line)}\n` : `${file}: ${text}\n`);
  }
}

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof FoveaError) return { code: error.code, message: error.message };
  return { code: "failed", message: error instanceof Error ? error.message : String(error) };
}

/** Looks at the size before it reads, so that no file is larger in memory than the edge would take it. */
export async function readPicture(file: string): Promise<Uint8Array> {
  let found;
  try {
    found = await stat(file);
  } catch (cause) {
    throw new FoveaError("not_found", "The file cannot be read.", { cause });
  }
  if (!found.isFile()) throw new FoveaError("invalid_image", "This is not a file.");
  checkImageFileSize(found.size);
  return readFile(file);
}
