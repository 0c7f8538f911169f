import { renderUsage, runCommand, type CommandDef, type SubCommandsDef } from "citty";
import { checkArguments } from "./check-arguments.ts";
import { endAtClosedPipe } from "./closed-pipe.ts";
import { failureStatus, printError } from "./print-error.ts";
import { nearest, UsageError } from "./usage.ts";

/**
 * Runs a command and ends the process with its status: 2 when it was called wrongly. What goes wrong is told in one line that
 * says what to do (or as JSON); a stack is for those who ask for it with FOVEA_DEBUG=1.
 */
export async function runFovea(root: CommandDef, argv: readonly string[]): Promise<void> {
  endAtClosedPipe();
  const { command, parent, rest } = await resolve(root, argv);
  const options = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (argv.length === 0 || options.includes("--help") || options.includes("-h")) {
    console.log(await renderUsage(command, parent));
    return;
  }
  if (argv[0] === "--version") {
    const meta = await valueOf(root.meta);
    console.log(meta?.version ?? "");
    return;
  }
  try {
    await checkCall(command, rest);
    await runCommand(root, { rawArgs: [...argv] });
  } catch (thrown) {
    const status = failureStatus(thrown);
    printError(thrown, options.includes("--json"));
    const names = argv.slice(0, argv.length - rest.length);
    if (status === 2) console.error(`See: ${["fovea", ...names, "--help"].join(" ")}`);
    if (process.env["FOVEA_DEBUG"] === "1") console.error(thrown);
    process.exitCode = status === 2 ? status : process.exitCode || status;
  }
}

/** Before anything runs: a mistyped `--dry-run` must not remove a thing. */
async function checkCall(command: CommandDef, rest: readonly string[]): Promise<void> {
  const subCommands: SubCommandsDef | undefined = await valueOf(command.subCommands);
  const [name] = rest;
  if (subCommands !== undefined && name !== undefined && !name.startsWith("-")) {
    const meant = nearest(name, Object.keys(subCommands));
    throw new UsageError(`unknown command ${name}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`);
  }
  checkArguments(rest, (await valueOf(command.args)) ?? {});
}

interface Resolved {
  readonly command: CommandDef;
  readonly parent?: CommandDef;
  /** Arguments behind the names of commands. */
  readonly rest: readonly string[];
}

async function resolve(root: CommandDef, argv: readonly string[]): Promise<Resolved> {
  let found: Resolved = { command: root, rest: argv };
  for (;;) {
    const [name] = found.rest;
    const subCommands: SubCommandsDef | undefined = await valueOf(found.command.subCommands);
    const sub = name === undefined || !Object.hasOwn(subCommands ?? {}, name) ? undefined : subCommands?.[name];
    if (sub === undefined) return found;
    const command = (await valueOf(sub)) as CommandDef;
    found = { command, parent: found.command, rest: found.rest.slice(1) };
  }
}

async function valueOf<T>(value: T | Promise<T> | (() => T) | (() => Promise<T>) | undefined): Promise<T | undefined> {
  return typeof value === "function" ? (value as () => T | Promise<T>)() : value;
}
