import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "../paths.ts";
import { readHubFolder } from "./hub-folder.ts";
import { readLicense } from "./license.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-license-"));
  await writeFile(path.join(folder, "config.json"), "{}");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const apache = await readFile(path.join(ROOT, "LICENSE"), "utf8");
const mit =
  "MIT License\n\nCopyright (c) 2026 A\n\nPermission is hereby granted, free of charge, to any person obtaining";

describe("readLicense", () => {
  it.each<[string, Record<string, string>, string]>([
    ["the card's", { "README.md": "---\ntags:\n- a\nlicense: apache-2.0\n---\n" }, "Apache-2.0"],
    ["the card's, before the text", { "README.md": '---\r\nlicense: "mit"\r\n---\r\n', LICENSE: apache }, "MIT"],
    ["one that SPDX does not know", { "README.md": "---\nlicense: gemma\n---\n" }, "LicenseRef-gemma"],
    [
      "one with a name of its own",
      { "README.md": "---\nlicense: other\nlicense_name: acme-1\n---\n" },
      "LicenseRef-acme-1",
    ],
    ["other, without a name", { "README.md": "---\nlicense: other\n---\n" }, "LicenseRef-other"],
    ["the text's", { LICENSE: apache }, "Apache-2.0"],
    ["the text's", { "LICENSE.txt": mit }, "MIT"],
    ["a text of its own", { "LICENSE.md": "Ask first." }, "LicenseRef-LICENSE"],
    ["what stands below the front matter is prose", { "README.md": "---\nx: y\n---\nlicense: mit\n" }, "NOASSERTION"],
    ["nothing", {}, "NOASSERTION"],
  ])("%s", async (_, files, expected) => {
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    expect(await readLicense(await readHubFolder(folder))).toBe(expected);
  });
});
