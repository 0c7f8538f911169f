import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

/** What goes wrong with one request for a file. `slow` never ends: it gives half, and the rest when nobody waits any more. */
export type Fault =
  "busy" | "cut" | "flip" | "no-range" | "slow" | "other-etag" | "redirect-api" | 401 | 403 | 404 | 416;

export interface FakeHubOptions {
  readonly repository: string;
  readonly files: Readonly<Record<string, Buffer>>;
  /** Needed for everything when given. */
  readonly token?: string;
}

const LFS_FROM_BYTES = 1000;
const PAGE = 3;

/**
 * The public hub's HTTP API on loopback, as far as downloads use it: revisions, listings in pages, files in git, and large
 * files that redirect to a store on another origin.
 */
export class FakeHub {
  /** Of each request for a file's bytes: the path, and where it asked to begin. */
  readonly requests: { readonly path: string; readonly from: number }[] = [];
  /** Authorization headers that reached the store, where none belongs. */
  readonly leaked: string[] = [];
  readonly repository: string;
  files: Readonly<Record<string, Buffer>>;
  commit = "a".repeat(40);
  readonly #token: string | undefined;
  readonly #faults = new Map<string, Fault[]>();
  readonly #hub: Server;
  readonly #store: Server;

  private constructor({ repository, files, token }: FakeHubOptions) {
    this.repository = repository;
    this.files = files;
    this.#token = token;
    this.#hub = createServer((request, response) => this.#answer(request, response));
    this.#store = createServer((request, response) => this.#serveStored(request, response));
  }

  static async start(options: FakeHubOptions): Promise<FakeHub> {
    const hub = new FakeHub(options);
    for (const server of [hub.#hub, hub.#store]) await once(server.listen(0, "127.0.0.1"), "listening");
    return hub;
  }

  get endpoint(): URL {
    return new URL(urlOf(this.#hub));
  }

  /** The next requests for this file (or `api`) meet these, one each. */
  fault(path: string, ...faults: Fault[]): void {
    this.#faults.set(path, faults);
  }

  /** Where each request for a file began. */
  startsOf(path: string): number[] {
    return this.requests.filter((request) => request.path === path).map(({ from }) => from);
  }

  /** What names a file in a cache. */
  oidOf(path: string): string {
    const bytes = this.files[path] ?? Buffer.of();
    return bytes.length < LFS_FROM_BYTES ? gitOid(bytes) : sha256(bytes);
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#store]) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.endpoint);
    const api = `/api/models/${this.repository}/`;
    if (this.#token !== undefined && request.headers.authorization !== `Bearer ${this.#token}`) {
      return void response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
    }
    if (pathname.startsWith(api)) return this.#answerApi(pathname.slice(api.length), searchParams, response);
    const [, commit, path = ""] = new RegExp(`^/${this.repository}/resolve/([0-9a-f]{40})/(.+)$`).exec(pathname) ?? [];
    const bytes = this.files[path];
    if (commit !== this.commit || bytes === undefined) {
      return void response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
    }
    if (bytes.length < LFS_FROM_BYTES) return this.#serve(path, request, response, gitOid(bytes));
    const etag = this.#faults.get(path)?.[0] === "other-etag" ? "0".repeat(64) : sha256(bytes);
    if (etag !== sha256(bytes)) this.#faults.get(path)?.shift();
    response.writeHead(302, { location: `${urlOf(this.#store)}/${path}`, "x-linked-etag": `"${etag}"` }).end();
  }

  #answerApi(rest: string, query: URLSearchParams, response: ServerResponse): void {
    const fault = this.#faults.get("api")?.shift();
    if (fault === "redirect-api") return void response.writeHead(307, { location: urlOf(this.#store) }).end();
    if (fault === "busy") return void response.writeHead(503).end();
    if (typeof fault === "number") return void response.writeHead(fault).end();
    if (rest.startsWith("revision/")) {
      const revision = decodeURIComponent(rest.slice("revision/".length));
      if (![this.commit, "main"].includes(revision)) {
        return void response.writeHead(404, { "x-error-code": "RevisionNotFound" }).end();
      }
      return json(response, { _id: "1", id: this.repository, sha: this.commit, lastModified: 0 });
    }
    const names = Object.keys(this.files);
    const from = Number(query.get("cursor") ?? 0);
    const next =
      from + PAGE < names.length
        ? `<${this.endpoint.origin}/api/models/${this.repository}/${rest}?cursor=${from + PAGE}>; rel="next"`
        : null;
    json(
      response,
      names.slice(from, from + PAGE).map((path) => entryOf(path, this.files[path] ?? Buffer.of())),
      next === null ? {} : { link: next },
    );
  }

  #serveStored(request: IncomingMessage, response: ServerResponse): void {
    const { authorization } = request.headers;
    if (authorization !== undefined) this.leaked.push(authorization);
    this.#serve((request.url ?? "/").slice(1), request, response, "a store's own etag");
  }

  #serve(path: string, request: IncomingMessage, response: ServerResponse, etag: string): void {
    const whole = this.files[path] ?? Buffer.of();
    const fault = this.#faults.get(path)?.shift();
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    this.requests.push({ path, from: Number(asked ?? 0) });
    if (fault === "busy") return void response.writeHead(503, { "retry-after": "0" }).end();
    if (typeof fault === "number") return void response.writeHead(fault).end();
    const ranged = asked !== undefined && fault !== "no-range";
    const from = ranged ? Number(asked) : 0;
    const body = Buffer.from(whole.subarray(from));
    if (fault === "flip") body[body.length >> 1] = ~(body[body.length >> 1] ?? 0);
    const range = ranged ? { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` } : {};
    response.writeHead(ranged ? 206 : 200, { etag: `"${etag}"`, "content-length": body.length, ...range });
    if (fault !== "cut" && fault !== "slow") return void response.end(body);
    response.write(body.subarray(0, body.length >> 1), () => {
      // Later than the bytes: a reset that overtakes them would take them along.
      if (fault === "cut") setTimeout(() => response.destroy(), 50);
    });
  }
}

/** The files below a folder by their names in a repository. */
export async function filesOf(folder: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: Record<string, Buffer> = {};
  for (const { parentPath, name } of entries.filter((entry) => entry.isFile())) {
    const file = path.join(parentPath, name);
    files[path.relative(folder, file).replaceAll(path.sep, "/")] = await readFile(file);
  }
  return files;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

function entryOf(path: string, bytes: Buffer): object {
  const file = { type: "file", path, size: bytes.length, oid: gitOid(bytes) };
  return bytes.length < LFS_FROM_BYTES
    ? file
    : { ...file, lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } };
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function gitOid(bytes: Buffer): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
