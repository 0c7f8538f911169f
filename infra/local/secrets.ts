import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";

const secretsSchema = z.object({
  /** `keyid:base64`: signs frames. */
  originKeys: z.string(),
  /** Credentials of the local S3 endpoint. */
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

export type LocalSecrets = z.output<typeof secretsSchema>;

/** The secrets of a local stage: made once, readable by their owner only. */
export async function localSecrets(directory: string): Promise<LocalSecrets> {
  const file = path.join(directory, "secrets.json");
  try {
    return secretsSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    const secrets: LocalSecrets = {
      originKeys: `local:${randomBytes(32).toString("base64")}`,
      accessKeyId: randomBytes(10).toString("hex"),
      secretAccessKey: randomBytes(32).toString("hex"),
    };
    await mkdir(directory, { recursive: true });
    await writeFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
    return secrets;
  }
}
