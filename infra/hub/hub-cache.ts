import { copyFile, link, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { HubFile } from "./file-transfer.ts";

/**
 * The part of a hub cache that belongs to one repository, in the layout of `huggingface_hub`: what its tools fetched is
 * found here, and theirs (`hf cache`) see and remove what was fetched here.
 *
 *     blobs/<oid>                    a file by the hash of its content; `<oid>.incomplete` while it is on its way
 *     snapshots/<commit>/<path>      the files of a commit under their names
 *     refs/<branch or tag>           the commit that it was last
 */
export class HubCache {
  readonly #folder: string;

  /** @param folder `models--org--name` inside of the cache */
  constructor(folder: string) {
    this.#folder = folder;
  }

  blob({ oid }: HubFile): string {
    return path.join(this.#folder, "blobs", oid);
  }

  snapshot(commit: string): string {
    return path.join(this.#folder, "snapshots", commit);
  }

  async prepare(commit: string): Promise<void> {
    await mkdir(path.join(this.#folder, "blobs"), { recursive: true });
    await mkdir(this.snapshot(commit), { recursive: true });
  }

  async remember(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const file = path.join(this.#folder, "refs", revision);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, commit);
  }

  /** A hard link, not a symbolic one: onnxruntime looks for external data where the graph's real file lies. */
  async show(commit: string, file: HubFile): Promise<void> {
    const shown = path.join(this.snapshot(commit), file.path);
    await mkdir(path.dirname(shown), { recursive: true });
    await rm(shown, { force: true });
    const blob = this.blob(file);
    // File systems without links (exFAT) keep a second copy.
    await link(blob, shown).catch(() => copyFile(blob, shown));
  }
}
