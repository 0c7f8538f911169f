import type { ArgDef, ArgsDef } from "citty";
import { nearest, UsageError } from "./usage.ts";

/** A positional argument that takes all that follow: `{ type: "positional", many: true }`. citty gives them in `args._`. */
type PositionalDef = ArgDef & { readonly many?: boolean };

/**
 * Refuses what citty passes over: options that the command does not have, options without their value, arguments too many.
 * `--` ends the options; a value that begins with `--` is written `--name=value`.
 * @throws UsageError that names the argument and, when there is one, the option that was meant
 */
export function checkArguments(argv: readonly string[], defined: ArgsDef): void {
  let positionals = 0;
  const ends = argv.indexOf("--");
  const options = ends === -1 ? argv : argv.slice(0, ends);
  for (let i = 0; i < options.length; i++) {
    const word = options[i] ?? "";
    if (!word.startsWith("-") || word === "-") {
      checkPositional(word, positionals++, defined);
    } else if (takesNext(word, defined)) {
      const value = options[++i];
      if (value === undefined || value.startsWith("--")) throw new UsageError(`${word} needs a value: ${word}=...`);
    }
  }
  for (const word of ends === -1 ? [] : argv.slice(ends + 1)) checkPositional(word, positionals++, defined);
}

/** Whether the word behind an option is its value. Throws for an option that there is not. */
function takesNext(word: string, defined: ArgsDef): boolean {
  const [, name = "", value] = /^--([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
  const negated = name.startsWith("no-") ? find(name.slice("no-".length), defined) : undefined;
  if (negated?.type === "boolean" && value === undefined) return false;
  const option = find(name, defined);
  if (option === undefined) throw new UsageError(`unknown option ${word.replace(/=[^]*/, "")}${meant(name, defined)}`);
  if (option.type !== "boolean") return value === undefined;
  if (value === undefined || value === "true" || value === "false") return false;
  throw new UsageError(`--${name} takes no value`);
}

/** An option by its name, which citty also takes in camel case. */
function find(name: string, defined: ArgsDef): ArgDef | undefined {
  const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const option = Object.hasOwn(defined, kebab) ? defined[kebab] : undefined;
  return option?.type === "positional" ? undefined : option;
}

function meant(name: string, defined: ArgsDef): string {
  const options = Object.keys(defined).filter((option) => defined[option]?.type !== "positional");
  const option = nearest(name, options);
  return option === undefined ? "" : ` (did you mean --${option}?)`;
}

function checkPositional(word: string, index: number, defined: ArgsDef): void {
  const positionals = Object.values<PositionalDef>(defined).filter(({ type }) => type === "positional");
  if (index < positionals.length || positionals.at(-1)?.many === true) return;
  throw new UsageError(`unexpected argument ${word}`);
}
