import { spawn, type ChildProcess } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import * as esbuild from "esbuild";

const ROOT = path.join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);

/** Highest and present resident memory of a process, bytes (Linux). */
async function residentBytes(pid: number): Promise<{ peak: number; now: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kilobytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { peak: kilobytes("VmHWM") * 1024, now: kilobytes("VmRSS") * 1024 };
}

/** One runtime in a process of its own, asked over loopback. */
export class RuntimeProcess {
  readonly #child: ChildProcess;
  readonly #port: number;
  #idle = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(command: string, args: readonly string[], fd: 1 | 3): Promise<RuntimeProcess> {
    const child = spawn(command, args, { stdio: ["ignore", fd === 1 ? "pipe" : "ignore", "inherit", "pipe"] });
    const stream = child.stdio[fd];
    if (!stream) throw new Error("The process has no output.");
    const port = await new Promise<number>((resolve, reject) => {
      let text = "";
      child.once("exit", (code) => reject(new Error(`${command} ended with ${code}`)));
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const found = /"port":\s*(\d+)/.exec(text);
        if (found !== null) resolve(Number(found[1]));
      });
    });
    const started = new RuntimeProcess(child, port);
    await started.ask("/memory");
    started.#idle = (await residentBytes(child.pid ?? 0)).now;
    return started;
  }

  /** The answer and the milliseconds until all of it was here. */
  async ask(target: string): Promise<{ ms: number; body: ArrayBuffer }> {
    const started = performance.now();
    const response = await fetch(`http://127.0.0.1:${this.#port}${target}`);
    const body = await response.arrayBuffer();
    if (!response.ok) throw new Error(`${target}: ${new TextDecoder().decode(body).slice(0, 300)}`);
    return { ms: performance.now() - started, body };
  }

  /** Peak of resident memory above what the empty process had, bytes. */
  async peakBytes(): Promise<number> {
    return (await residentBytes(this.#child.pid ?? 0)).peak - this.#idle;
  }

  stop(): void {
    this.#child.kill();
  }
}

/** A Worker bundled by esbuild in the workerd binary itself, with a folder as service FILES. No wrangler beside it. */
export async function startWorkerd(entry: string, folder: string): Promise<RuntimeProcess> {
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
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  // The binary that miniflare and wrangler pin.
  const { default: workerd } = createRequire(require.resolve("miniflare"))("workerd") as { default: string };
  return RuntimeProcess.start(workerd, ["serve", config, "--control-fd=3"], 3);
}

export function startNative(folder: string): Promise<RuntimeProcess> {
  return RuntimeProcess.start(process.execPath, [path.join(import.meta.dirname, "native.ts"), folder], 1);
}
