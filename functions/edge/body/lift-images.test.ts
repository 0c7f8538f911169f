import { describe, expect, it } from "vitest";
import { MAX_REQUEST_TEXT_BYTES } from "../../../shared/limits/limits.ts";
import { decodeBase64InPlace } from "./base64.ts";
import { liftImages } from "./lift-images.ts";

function lift(text: string): { json: unknown; images: (number[] | null)[]; standIn: string } {
  const { text: rest, images, standIn } = liftImages(new Uint8Array(new TextEncoder().encode(text)));
  return { json: JSON.parse(rest), images: images.map((image) => image && [...image]), standIn };
}

describe("liftImages", () => {
  it("lifts every data URI of a url member, in order, whatever the JSON writer", () => {
    const { json, images, standIn } = lift(
      String.raw`{"a":[{"url":"data:image/png;base64,AQID"},{"url" :	"DATA:image\/jpeg;base64,\/\/79"}],"b":"é 😀"}`,
    );
    expect(images).toEqual([
      [1, 2, 3],
      [255, 254, 253],
    ]);
    expect(json).toEqual({ a: [{ url: `${standIn}0` }, { url: `${standIn}1` }], b: "é 😀" });
  });

  it("takes a data URI with parameters", () => {
    expect(lift('{"url":"data:image/png;charset=utf-8;base64,AQID"}').images).toEqual([[1, 2, 3]]);
    const [long, word] = ["x".repeat(32), "a".repeat(40)];
    expect(lift(`{"url":"data:image\\/${word};${long}=${long};${long}=${long};base64,AQID"}`).images).toEqual([
      [1, 2, 3],
    ]);
  });

  it.each([
    String.raw`{"url":"data:image/png;charset;base64,AQID"}`,
    String.raw`{"text":"data:image/png;base64,AQID"}`,
    String.raw`{"text":"\"url\":\"data:image/png;base64,AQID\""}`,
    String.raw`{"text":"\"url\":","x":"data:image/png;base64,AQID"}`,
    String.raw`{"url":"http://example.com/data:image/png;base64,AQID"}`,
    String.raw`{"url":"data:text/html;base64,AQID"}`,
    String.raw`{"text":"back\\\\","url":"x"}`,
    String.raw`["url","data:image/png;base64,AQID"]`,
  ])("leaves %s alone", (text) => {
    const { json, images } = lift(text);
    expect(images).toEqual([]);
    expect(json).toEqual(JSON.parse(text));
  });

  it("marks what is not base64", () => {
    expect(lift('{"url":"data:image/png;base64,A!"}').images).toEqual([null]);
    expect(lift(String.raw`{"url":"data:image/png;base64,AQ\u0049D"}`).images).toEqual([null]);
  });

  it("hands text that is no JSON on to the parser", () => {
    for (const text of ['"', '{"url":"data:image/png;base64,AQID', "", "\\", '""""']) {
      expect(liftImages(new Uint8Array(new TextEncoder().encode(text))).text).toBe(text);
    }
    expect(() => liftImages(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(TypeError);
  });

  it("takes pictures of any size, and text up to its limit", () => {
    const body = (pictureChars: number, textChars: number): Uint8Array<ArrayBuffer> => {
      const picture = `{"url":"data:image/png;base64,${"A".repeat(pictureChars)}"}`;
      return new Uint8Array(new TextEncoder().encode(`[${picture},"${"é".repeat(textChars / 2)}",${picture}]`));
    };
    expect(liftImages(body(2 * MAX_REQUEST_TEXT_BYTES, MAX_REQUEST_TEXT_BYTES - 1024)).images).toHaveLength(2);
    expect(() => liftImages(body(8, MAX_REQUEST_TEXT_BYTES))).toThrow(expect.objectContaining({ status: 413 }));
  });

  it("stand-ins cannot be guessed", () => {
    expect(lift('{"url":"x"}').standIn).not.toBe(lift('{"url":"x"}').standIn);
  });
});

describe("decodeBase64InPlace", () => {
  function decode(text: string): number[] | null {
    const bytes = new TextEncoder().encode(text);
    const length = decodeBase64InPlace(bytes, 0, bytes.length);
    return length === -1 ? null : [...bytes.subarray(0, length)];
  }

  it("agrees with atob on random texts of every length", () => {
    for (let length = 0; length < 200; length++) {
      const bytes = crypto.getRandomValues(new Uint8Array(length));
      const text = btoa(String.fromCharCode(...bytes));
      expect(decode(text)).toEqual([...bytes]);
      expect(decode(text.replace(/=+$/, ""))).toEqual([...bytes]);
      expect(decode(text.replaceAll("/", String.raw`\/`))).toEqual([...bytes]);
    }
  });

  it.each(["A", "AAAAA", "AA=", "AAA==", "AA===", "=", "AAAA=", "AA=A", "AA AA", "AA\nAA", "A-_A", "\\A", "AA\\"])(
    "refuses %j",
    (text) => {
      expect(decode(text)).toBeNull();
    },
  );
});
