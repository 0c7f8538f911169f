import { readFile } from "node:fs/promises";
import { UsageError } from "../../usage.ts";

/**
 * The JSON of the file that an option names.
 * @throws UsageError that names option and file, and says what is wrong
 */
export async function readJsonFile(option: string, file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "EISDIR" ? "is a folder; name the file in it" : "cannot be read";
    throw new UsageError(`--${option} takes a file, and ${file} ${why}`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--${option}: ${file} is no JSON`, { cause });
  }
}
