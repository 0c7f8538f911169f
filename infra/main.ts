import { renderUsage, runCommand, type CommandDef, type SubCommandsDef } from "citty";
import { printError } from "./print-error.ts";

/** Exit status of a command that was called wrongly, as shells have it. */
const USAGE_STATUS = 2;

/**
 * Runs a command and ends the process with its status. What goes wrong is told in one line that says what to do (or as JSON); a stack
 * is for those who ask for it with FOVEA_DEBUG=1.
 */
export async function runFovea(root: CommandDef, argv: readonly string[]): Promise<void> {
  const { command, parent, rest } = await resolve(root, argv);
  if (argv.length === 0 || rest.includes("--help") || rest.includes("-h")) {
    console.log(await renderUsage(command, parent));
    return;
  }
  if (argv[0] === "--version") {
    const meta = await valueOf(root.meta);
    console.log(meta?.version ?? "");
    return;
  }
  try {
    await runCommand(root, { rawArgs: [...argv] });
  } catch (thrown) {
    const usage = thrown instanceof Error && thrown.name === "CLIError";
    printError(thrown, rest.includes("--json"));
    if (usage) console.error(`See: fovea ${argv.slice(0, argv.length - rest.length).join(" ")} --help`);
    if (process.env["FOVEA_DEBUG"] === "1") console.error(thrown);
    process.exitCode = usage ? USAGE_STATUS : process.exitCode || 1;
  }
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
    const sub = name === undefined ? undefined : subCommands?.[name];
    if (sub === undefined) return found;
    const command = (await valueOf(sub)) as CommandDef;
    found = { command, parent: found.command, rest: found.rest.slice(1) };
  }
}

async function valueOf<T>(value: T | Promise<T> | (() => T) | (() => Promise<T>) | undefined): Promise<T | undefined> {
  return typeof value === "function" ? (value as () => T | Promise<T>)() : value;
}
