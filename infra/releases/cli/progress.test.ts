import { describe, expect, it } from "vitest";
import { formatBytes, formatSeconds, formatTable } from "./format.ts";
import { ProgressBar } from "./progress.ts";

describe("ProgressBar", () => {
  it("shows bytes, rate and time left, and takes itself away", () => {
    const written: string[] = [];
    let now = 0;
    const bar = new ProgressBar({ isTTY: true, write: (text) => written.push(text) }, { now: () => now });
    bar.update("upload", 0, 100_000_000);
    now = 2000;
    bar.update("upload", 50_000_000, 100_000_000);
    expect(written.at(-1)).toBe(
      "\r\u001B[Kupload [############............] 50.0 MB of 100.0 MB  25.0 MB/s  0:02 left",
    );
    now = 2050;
    bar.update("upload", 51_000_000, 100_000_000);
    expect(written.length).toBe(2);
    bar.update("upload", 100_000_000, 100_000_000);
    expect(written.at(-1)).toContain("100.0 MB of 100.0 MB");
    bar.clear();
    expect(written.at(-1)).toBe("\r\u001B[K");
  });

  it("says what goes on, in the same line", () => {
    const written: string[] = [];
    const bar = new ProgressBar({ isTTY: true, write: (text) => written.push(text) });
    bar.note("measuring the encoder ...");
    bar.note("measuring the language model ...");
    bar.clear();
    const erase = "\r\u001B[K";
    expect(written).toEqual(["measuring the encoder ...", erase, "measuring the language model ...", erase]);
  });

  it("is silent without a terminal, and with --json", () => {
    const write = () => {
      throw new Error("drawn");
    };
    new ProgressBar({ write }).update("upload", 1, 2);
    new ProgressBar({ write }).note("measuring ...");
    new ProgressBar({ isTTY: true, write }, { quiet: true }).update("upload", 1, 2);
  });
});

describe("formats", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [999_960, "1.00 MB"],
    [23_900_000, "23.9 MB"],
    [5e12, "5.00 TB"],
    [5e15, "5000.0 TB"],
  ])("%i bytes as %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, "0:00"],
    [65, "1:05"],
    [7265, "2:01:05"],
  ])("%i seconds as %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it("pads columns", () => {
    expect(
      formatTable([
        ["a", "b"],
        ["long", "c"],
      ]),
    ).toBe("a     b\nlong  c");
  });
});
