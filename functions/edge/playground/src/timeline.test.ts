import { describe, expect, it } from "vitest";
import { formatBytes, formatMs, timeline } from "./timeline.ts";

describe("timeline", () => {
  it("orders rows by their start and joins spans of one name at one place", () => {
    const rows = timeline({
      local: true,
      total_ms: 100,
      wire_bytes: 0,
      decode_steps: 1,
      spans: [
        { name: "encode", place: "encoder", start_ms: 50, duration_ms: 25 },
        { name: "image_decode", place: "edge", start_ms: 0, duration_ms: 10 },
        { name: "image_decode", place: "edge", start_ms: 20, duration_ms: 5 },
      ],
    });
    expect(rows).toEqual([
      {
        name: "image_decode",
        place: "edge",
        durationMs: 15,
        bars: [
          { start: 0, length: 0.1 },
          { start: 0.2, length: 0.05 },
        ],
      },
      { name: "encode", place: "encoder", durationMs: 25, bars: [{ start: 0.5, length: 0.25 }] },
    ]);
  });

  it("keeps every bar inside when a span reaches past the total", () => {
    const spans = [{ name: "wire", place: "wire", start_ms: 80, duration_ms: 120 }] as const;
    const [row] = timeline({ local: true, total_ms: 100, wire_bytes: 0, decode_steps: 1, spans });
    expect(row?.bars).toEqual([{ start: 0.4, length: 0.6 }]);
  });

  it("divides by nothing when the clock stood still", () => {
    const spans = [{ name: "tokenize", place: "edge", start_ms: 0, duration_ms: 0 }] as const;
    const [row] = timeline({ local: false, total_ms: 0, wire_bytes: 0, decode_steps: 1, spans });
    expect(row?.bars).toEqual([{ start: 0, length: 0 }]);
  });
});

describe("units", () => {
  it.each([
    [0.04, "0.0 ms"],
    [9.94, "9.9 ms"],
    [9.96, "10 ms"],
    [999.6, "1.00 s"],
    [1250, "1.25 s"],
  ])("%d ms reads %s", (ms, text) => expect(formatMs(ms)).toBe(text));

  it.each([
    [812, "812 B"],
    [8400, "8.4 kB"],
    [1_200_000, "1.2 MB"],
  ])("%d bytes read %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});
