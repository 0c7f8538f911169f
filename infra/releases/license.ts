import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HubFolder } from "./hub-folder.ts";

/** The hub's names of licences in lower case -> SPDX identifiers. */
const SPDX: ReadonlyMap<string, string> = new Map(
  [
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC0-1.0",
    "MPL-2.0",
  ].map((identifier) => [identifier.toLowerCase(), identifier]),
);

/** Words that only one licence's text begins with. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^\s*Apache License\s+Version 2\.0/, "Apache-2.0"],
  [/^(?:.*\n){0,6}Permission is hereby granted, free of charge, to any person/, "MIT"],
];

/**
 * The licence of a model as an SPDX identifier: what the card's front matter says (where the hub keeps it), else what the
 * text in LICENSE is. `LicenseRef-gemma` for one that SPDX does not know, `NOASSERTION` where nobody says.
 */
export async function readLicense(folder: HubFolder): Promise<string> {
  const text = async (name: string): Promise<string> =>
    folder.has(name) ? (await readFile(join(folder.root, name), "utf8")).replaceAll("\r\n", "\n") : "";
  const card = /^---\n([^]*?)\n---/.exec(await text("README.md"))?.[1] ?? "";
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}:[ \\t]*["']?([A-Za-z0-9][A-Za-z0-9.+-]{0,40})["']?[ \\t]*$`, "m").exec(card)?.[1];
  const license = value("license");
  const named = license === "other" ? value("license_name") : license;
  if (named !== undefined) return SPDX.get(named.toLowerCase()) ?? `LicenseRef-${named}`;
  for (const name of ["LICENSE", "LICENSE.txt", "LICENSE.md"]) {
    if (!folder.has(name)) continue;
    const words = await text(name);
    return TEXTS.find(([beginning]) => beginning.test(words))?.[1] ?? "LicenseRef-LICENSE";
  }
  return license === undefined ? "NOASSERTION" : "LicenseRef-other";
}
