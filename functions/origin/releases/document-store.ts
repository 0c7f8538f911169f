import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Small documents on the origin's disk, by the keys that they have in the bucket: what was verified last, so that a restart
 * while the store is down still finds it, and the floor below which no channel document is taken.
 */
export class DocumentStore {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  async keep(key: string, bytes: Uint8Array | string): Promise<void> {
    const path = join(this.root, ...key.split("/"));
    const temporary = `${path}.${randomUUID()}.tmp`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, path);
  }

  async floor(channelKey: string): Promise<number> {
    const text = await readFile(join(this.root, ...floorKey(channelKey).split("/")), "utf8").catch(() => "0");
    const floor = Number(text);
    return Number.isSafeInteger(floor) && floor > 0 ? floor : 0;
  }

  async raiseFloor(channelKey: string, sequence: number): Promise<void> {
    if (sequence > (await this.floor(channelKey))) await this.keep(floorKey(channelKey), String(sequence));
  }
}

function floorKey(channelKey: string): string {
  return `floors/${channelKey}`;
}
