import { statfs } from "node:fs/promises";
import path from "node:path";
import { getHFHubCachePath, getRepoFolderName, listFiles, modelInfo } from "@huggingface/hub";
import * as z from "zod";
import { MAX_RELEASE_FILE_BYTES } from "../../shared/limits/releases.ts";
import { fileNameSchema } from "../../shared/releases/schema.ts";
import { Semaphore } from "../../shared/releases/semaphore.ts";
import type { ModelSource } from "../import/model-source.ts";
import { chooseGraphs } from "../releases/hub-folder.ts";
import { withByteSource } from "../releases/onnx/byte-source.ts";
import { externalLocations } from "../releases/onnx/external-data.ts";
import { fetchFile, holds, type HubFile } from "./file-transfer.ts";
import { HubCache } from "./hub-cache.ts";
import { HubError } from "./hub-error.ts";
import { HubHttp, type HubHttpOptions } from "./hub-http.ts";
import { FILES_IN_FLIGHT, MAX_CONFIGURATION_BYTES, MAX_LISTED_FILES } from "./limits.ts";

export interface HubModelOptions extends HubHttpOptions {
  /** Branch, tag or commit. */
  readonly revision?: string | undefined;
  /** Default: that of `huggingface_hub`, by HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME. */
  readonly cacheDir?: string | undefined;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Bytes that the disk of a folder has left. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/** `org/name`; each part begins and ends with a letter or digit, so that none is a path. */
const REPOSITORY = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9])?\/[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9])?$/;
const REVISION = /^[A-Za-z0-9](?:[\w./-]{0,198}[A-Za-z0-9])?$/;

const infoSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const entrySchema = z.object({
  type: z.string(),
  path: z.string().max(1000),
  size: z.int().min(0).max(MAX_RELEASE_FILE_BYTES),
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z
    .object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(0).max(MAX_RELEASE_FILE_BYTES) })
    .optional(),
});

/** What is read of a model beside its graphs: settings, tokenizers, card and licence, and examples in our own layout. */
const CONFIGURATION =
  /^(?:(?:config|generation_config|preprocessor_config|processor_config|special_tokens_map|chat_template)\.json|chat_template\.jinja|(?:qformer_tokenizer\/)?tokenizer(?:_config)?\.json|README\.md|LICENSE(?:\.txt|\.md)?)$/;
const EXAMPLES = /^examples\/[^/]+$/;

/** Whether this may be meant as the name of a repository. */
export function isRepositoryName(text: string): boolean {
  return REPOSITORY.test(text) && !text.includes("..") && !text.includes("--");
}

/** A model at a hub: one commit of it, of which only what is needed comes into the cache. */
export class HubModel implements ModelSource {
  readonly name: string;
  readonly from: string;
  /** 40 hex digits: what the revision named when it was opened. */
  readonly #commit: string;
  readonly #files: ReadonlyMap<string, HubFile>;
  readonly #http: HubHttp;
  readonly #cache: HubCache;
  readonly #options: HubModelOptions;
  #doneBytes = 0;
  #totalBytes = 0;

  private constructor(
    commit: string,
    files: ReadonlyMap<string, HubFile>,
    { http, cache, options }: { http: HubHttp; cache: HubCache; options: HubModelOptions },
  ) {
    this.name = http.asked.repository.split("/")[1] ?? "";
    this.from = `${http.asked.repository} at ${commit}`;
    this.#commit = commit;
    this.#files = files;
    this.#http = http;
    this.#cache = cache;
    this.#options = options;
  }

  /** Asks the hub what the revision is now and which files it has. Downloads nothing. */
  static async open(repository: string, options: HubModelOptions): Promise<HubModel> {
    const { revision = "main", endpoint } = options;
    if (!isRepositoryName(repository))
      throw new HubError("bad_name", `${repository} is not the name of a model: org/name`);
    if (!REVISION.test(revision) || revision.includes("..")) {
      throw new HubError("bad_name", `${revision} is not a branch, tag or commit`);
    }
    const http = new HubHttp(repository, options);
    const hub = { fetch: http.fetch, hubUrl: endpoint.href.replace(/\/$/, "") };
    const info = infoSchema.safeParse(
      await modelInfo({ name: repository, revision, additionalFields: ["sha"], ...hub }),
    );
    if (!info.success) throw new HubError("bad_answer", `${endpoint.host} does not say which commit ${revision} is`);
    const commit = info.data.sha;
    const files = new Map<string, HubFile>();
    for await (const entry of listFiles({ repo: repository, revision: commit, recursive: true, ...hub })) {
      const file = fileOf(entry, repository);
      if (file !== null) files.set(file.path, file);
      if (files.size > MAX_LISTED_FILES)
        throw new HubError("too_large", `${repository} has more than ${MAX_LISTED_FILES} files`);
    }
    const folder = path.join(
      options.cacheDir ?? getHFHubCachePath(),
      getRepoFolderName({ name: repository, type: "model" }),
    );
    const cache = new HubCache(folder);
    await cache.prepare(commit);
    await cache.remember(revision, commit);
    return new HubModel(commit, files, { http, cache, options });
  }

  async configuration(): Promise<string> {
    const examples = this.#files.has("examples/examples.json");
    const wanted = [...this.#files.values()].filter(
      ({ path: name }) => CONFIGURATION.test(name) || (examples && EXAMPLES.test(name)),
    );
    const large = wanted.find(({ size }) => size > MAX_CONFIGURATION_BYTES);
    if (large !== undefined)
      throw new HubError("too_large", `${large.path} has ${large.size} bytes, ${MAX_CONFIGURATION_BYTES} at most`);
    await this.#bring(wanted);
    return this.#cache.snapshot(this.#commit);
  }

  async weights(dtype?: string): Promise<void> {
    const root = `${this.#http.asked.repository}@${this.#commit.slice(0, 12)}`;
    const graphs = chooseGraphs({ root, has: (name) => this.#files.has(name) }, dtype).map(({ file }) => file);
    await this.#bring(graphs.map((name) => this.#file(name)));
    const data: HubFile[] = [];
    for (const graph of graphs) {
      const locations = await withByteSource(path.join(this.#cache.snapshot(this.#commit), graph), externalLocations);
      data.push(...locations.map((location) => this.#file(path.posix.join(path.posix.dirname(graph), location))));
    }
    await this.#bring(data);
  }

  #file(name: string): HubFile {
    const file = this.#files.get(name);
    if (file !== undefined) return file;
    throw new HubError("not_found", `${this.#http.asked.repository} has no ${name}, which one of its graphs needs`);
  }

  /** Brings files into the snapshot, each checked against its hash, whether it was here or had to come. */
  async #bring(files: readonly HubFile[]): Promise<void> {
    // Two files may have one content, and so one place in the cache.
    const missing = new Map<string, HubFile>();
    for (const file of files) if (!(await holds(this.#cache.blob(file), file))) missing.set(file.oid, file);
    await this.#fetch([...missing.values()]);
    for (const file of files) await this.#cache.show(this.#commit, file);
  }

  /** Several at once; the first failure ends them all. */
  async #fetch(files: readonly HubFile[]): Promise<void> {
    const needed = files.reduce((sum, { size }) => sum + size, 0);
    await this.#checkDisk(needed);
    this.#totalBytes += needed;
    const failed = new AbortController();
    const { signal = failed.signal } = this.#options;
    const http = this.#http.until(AbortSignal.any([signal, failed.signal]));
    const permits = new Semaphore(FILES_IN_FLIGHT);
    const fetches = files.map((file) =>
      permits.run(async () => {
        failed.signal.throwIfAborted();
        await fetchFile(http, this.#url(file), { file, target: this.#cache.blob(file), onBytes: this.#count });
      }),
    );
    for (const fetching of fetches) fetching.catch((thrown: unknown) => failed.abort(thrown));
    await Promise.allSettled(fetches);
    failed.signal.throwIfAborted();
  }

  readonly #count = (bytes: number): void => {
    this.#doneBytes += bytes;
    this.#options.onProgress?.(this.#doneBytes, this.#totalBytes);
  };

  #url({ path: name }: HubFile): URL {
    const { repository, endpoint } = this.#http.asked;
    return new URL(`${repository}/resolve/${this.#commit}/${name}`, `${endpoint.href.replace(/\/$/, "")}/`);
  }

  async #checkDisk(needed: number): Promise<void> {
    const folder = this.#cache.snapshot(this.#commit);
    const free = await (this.#options.freeBytes ?? freeBytes)(folder);
    if (needed <= free) return;
    const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
    throw new HubError(
      "disk",
      `the download needs ${megabytes(needed)} and the disk of the cache has ${megabytes(free)}; HF_HOME moves the cache`,
    );
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Null for what is no file. A name that would leave the folder condemns the repository. */
function fileOf(entry: unknown, repository: string): HubFile | null {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) throw new HubError("bad_answer", `the listing of ${repository} is not what a hub answers`);
  const { type, path: name, size, oid, lfs } = parsed.data;
  if (name.split(/[/\\]/).includes("..") || /^[/\\]|^[A-Za-z]:/.test(name)) {
    throw new HubError(
      "bad_name",
      `the listing of ${repository} names ${JSON.stringify(name)}, which lies outside of it`,
    );
  }
  if (type !== "file" || !fileNameSchema.safeParse(name).success) return null;
  return { path: name, size: lfs?.size ?? size, oid: lfs?.oid ?? oid };
}
