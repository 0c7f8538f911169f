import { spawn, type ChildProcess } from "node:child_process";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import * as esbuild from "esbuild";

const ROOT = path.join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);

/** Milliseconds that all threads of a process have computed (Linux). */
async function computedMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const read = async (thread: string): Promise<number> => {
    // A thread may end between the two.
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0");
    return Number(text.split(" ")[0]) / 1e6;
  };
  return (await Promise.all(threads.map(read))).reduce((sum, ms) => sum + ms, 0);
}

/** An answer of a runtime. */
export interface Answer {
  /** Milliseconds until all of it was here. */
  readonly ms: number;
  /** Milliseconds that the process computed meanwhile: what remains of `ms` on a machine that has nothing else to do. */
  readonly cpuMs: number;
  readonly body: ArrayBuffer;
}

/** One runtime in a process of its own, asked over loopback. */
export class RuntimeProcess {
  readonly #child: ChildProcess;
  readonly #port: number;
  /** Of workerd's inspector, where it was asked for. */
  readonly inspectorPort: number;

  private constructor(child: ChildProcess, port: number, inspectorPort: number) {
    this.#child = child;
    this.#port = port;
    this.inspectorPort = inspectorPort;
  }

  static async start(command: string, args: readonly string[], fd: 1 | 3): Promise<RuntimeProcess> {
    const child = spawn(command, args, { stdio: ["ignore", fd === 1 ? "pipe" : "ignore", "inherit", "pipe"] });
    const stream = child.stdio[fd];
    if (!stream) throw new Error("The process has no output.");
    const [port, inspectorPort] = await new Promise<[number, number]>((resolve, reject) => {
      let text = "";
      child.once("exit", (code) => reject(new Error(`${command} ended with ${code}`)));
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const inspector = /"listen-inspector"[^}]*"port":\s*(\d+)/.exec(text);
        const found = /"listen",[^}]*"port":\s*(\d+)/.exec(text);
        if (found !== null) resolve([Number(found[1]), Number(inspector?.[1] ?? 0)]);
      });
    });
    const started = new RuntimeProcess(child, port, inspectorPort);
    await started.ask("/memory");
    return started;
  }

  async ask(target: string): Promise<Answer> {
    const computed = await computedMs(this.#child.pid ?? 0);
    const started = performance.now();
    const response = await fetch(`http://127.0.0.1:${this.#port}${target}`);
    const body = await response.arrayBuffer();
    if (!response.ok) throw new Error(`${target}: ${new TextDecoder().decode(body).slice(0, 300)}`);
    const ms = performance.now() - started;
    return { ms, cpuMs: (await computedMs(this.#child.pid ?? 0)) - computed, body };
  }

  /** At once: workerd would first wait until an inspector has left. */
  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A Worker bundled by esbuild in the workerd binary itself, with a folder as service FILES. No wrangler beside it. */
export async function startWorkerd(
  entry: string,
  folder: string,
  { inspect = false, v8Flags = [] }: { readonly inspect?: boolean; readonly v8Flags?: readonly string[] } = {},
): Promise<RuntimeProcess> {
  const wasm: string[] = [];
  const name = path.basename(entry, ".ts");
  const bundle = path.join(folder, `${name}.mjs`);
  await esbuild.build({
    entryPoints: [path.join(import.meta.dirname, entry)],
    outfile: bundle,
    bundle: true,
    format: "esm",
    platform: "neutral",
    conditions: ["workerd", "worker", "browser", "import"],
    mainFields: ["browser", "module", "main"],
    absWorkingDir: ROOT,
    logLevel: "error",
    plugins: [
      {
        name: "compiled-wasm",
        setup(build) {
          build.onResolve({ filter: /\.wasm$/ }, ({ path: asked, resolveDir }) => {
            const file = asked.startsWith(".") ? path.join(resolveDir, asked) : require.resolve(asked);
            wasm.push(file);
            return { path: `./${path.basename(file)}`, external: true };
          });
        },
      },
    ],
  });
  const text = (value: string): string => JSON.stringify(value);
  // An absolute path in `embed` means the import path, so all files stand beside the configuration.
  for (const file of wasm) await copyFile(file, path.join(folder, path.basename(file)));
  const modules = wasm.map(
    (file) => `(name = ${text(path.basename(file))}, wasm = embed ${text(path.basename(file))})`,
  );
  const config = path.join(folder, `${name}.capnp`);
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = ${text(`${name}.mjs`)}, esModule = embed ${text(`${name}.mjs`)}), ${modules.join(", ")}],
      bindings = [(name = "FILES", service = "files")],
      compatibilityDate = "2026-10-01")),
    (name = "files", disk = (path = ${text(folder)})),
  ],
  v8Flags = [${v8Flags.map(text).join(", ")}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  // The binary that miniflare and wrangler pin.
  const { default: workerd } = createRequire(require.resolve("miniflare"))("workerd") as { default: string };
  return RuntimeProcess.start(
    workerd,
    ["serve", config, "--control-fd=3", ...(inspect ? ["--inspector-addr=127.0.0.1:0"] : [])],
    3,
  );
}

export function startNative(folder: string): Promise<RuntimeProcess> {
  return RuntimeProcess.start(process.execPath, [path.join(import.meta.dirname, "native.ts"), folder], 1);
}
