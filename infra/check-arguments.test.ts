import type { ArgsDef } from "citty";
import { describe, expect, it } from "vitest";
import { checkArguments } from "./check-arguments.ts";
import { UsageError } from "./usage.ts";

const defined: ArgsDef = {
  from: { type: "positional" },
  store: { type: "string" },
  place: { type: "enum", options: ["auto", "edge"] },
  "dry-run": { type: "boolean" },
};
const many = { files: { type: "positional", many: true } } as ArgsDef;

describe("checkArguments", () => {
  it.each([
    [[]],
    [["a", "--store", "file:x", "--dry-run"]],
    [["--store=--odd", "--place", "edge", "a"]],
    [["--no-dry-run", "--dryRun"]],
    [["--dry-run=false", "-"]],
    [["--store", "-"]],
    [["--dry-run", "--", "--dryrun"]],
  ])("takes %j", (argv) => expect(() => checkArguments(argv, defined)).not.toThrow());

  it.each([
    [["--dryrun"], "unknown option --dryrun (did you mean --dry-run?)"],
    [["--stor=file:x"], "unknown option --stor (did you mean --store?)"],
    [["--constructor"], "unknown option --constructor"],
    [["--from", "x"], "unknown option --from"],
    [["--no-store"], "unknown option --no-store"],
    [["-n"], "unknown option -n"],
    [["a", "b"], "unexpected argument b"],
    [["--dry-run", "false", "--", "a"], "unexpected argument a"],
    [["--dry-run=1"], "--dry-run takes no value"],
    [["--store"], "--store needs a value"],
    [["--store", "--dry-run"], "--store needs a value"],
  ])("refuses %j", (argv, message) => {
    expect(() => checkArguments(argv, defined)).toThrow(UsageError);
    expect(() => checkArguments(argv, defined)).toThrow(message);
  });

  it("takes as many arguments as there are where a command says so", () => {
    expect(() => checkArguments(["a", "b", "c"], many)).not.toThrow();
  });
});
