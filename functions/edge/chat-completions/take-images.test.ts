import { describe, expect, it } from "vitest";
import { MAX_IMAGE_FILE_BYTES } from "../../../shared/limits/image.ts";
import { chatRequestSchema } from "../../../shared/openai/chat-request.ts";
import { liftImages } from "../body/lift-images.ts";
import { takeImages, type ImageFile } from "./take-images.ts";

function take(...urls: string[]): ImageFile[] {
  const content = urls.map((url) => ({ type: "image_url", image_url: { url } }));
  return takeBody({ model: "m", messages: [{ role: "user", content }] });
}

function takeBody(body: object): ImageFile[] {
  const lifted = liftImages(new Uint8Array(new TextEncoder().encode(JSON.stringify(body))));
  return takeImages(chatRequestSchema.parse(JSON.parse(lifted.text)), lifted);
}

describe("takeImages", () => {
  it("gives the files in order, whatever type is claimed", () => {
    const files = take("data:image/png;base64,AQID", "DATA:IMAGE/SVG+XML;BASE64,AQI=");
    expect(files.map(({ bytes }) => [...bytes])).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
    expect(files[1]?.param).toBe("messages[0].content[1].image_url.url");
  });

  it.each([
    ["http://example.com/a.png", "unsupported_image_url"],
    ["file:///etc/passwd", "unsupported_image_url"],
    ["/etc/passwd", "unsupported_image_url"],
    ["", "unsupported_image_url"],
    ["lifted:0", "unsupported_image_url"],
    ["data:text/html;base64,AQID", "unsupported_image_url"],
    ["data:image/png,AQID", "unsupported_image_url"],
    ["data:image/png;base64,", "invalid_image"],
    ["data:image/png;base64,A", "invalid_image"],
    ["data:image/png;base64,!!!!", "invalid_image"],
    ["data:image/png;base64,AQ-_", "invalid_image"],
    [`data:image/png;base64,${"A".repeat(Math.ceil(MAX_IMAGE_FILE_BYTES / 3) * 4 + 8)}`, "image_too_large"],
  ])("refuses %.40s", (url, code) => {
    const param = "messages[0].content[0].image_url.url";
    expect(() => take(url)).toThrow(expect.objectContaining({ code, param }));
  });

  it("minds no data URI in a field that is not read", () => {
    const image_url = { url: "data:image/png;base64,BAUG" };
    const files = takeBody({
      model: "m",
      metadata: { url: "data:image/png;base64,AQID" },
      messages: [{ role: "user", content: [{ type: "image_url", image_url, url: "data:image/png;base64,AQID" }] }],
      other: [{ url: "data:image/png;base64,?" }],
    });
    expect(files.map(({ bytes }) => [...bytes])).toEqual([[4, 5, 6]]);
  });

  it("counts however deep a tool's parameters are", () => {
    const parameters = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const tools = `[{"type":"function","function":{"name":"f","parameters":${parameters}}}]`;
    const messages = '[{"role":"user","content":"x","url":"data:image/png;base64,AQID"}]';
    const body = `{"model":"m","messages":${messages},"tools":${tools}}`;
    const lifted = liftImages(new Uint8Array(new TextEncoder().encode(body)));
    expect(takeImages(chatRequestSchema.parse(JSON.parse(lifted.text)), lifted)).toEqual([]);
  });

  it("refuses data URIs that are read and that no image part owns", () => {
    const parameters = { type: "object", properties: {}, default: { url: "data:image/png;base64,AQID" } };
    const tools = [{ type: "function", function: { name: "f", parameters } }];
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,BAUG" } };
    for (const content of ["x", [image]]) {
      const body = { model: "m", messages: [{ role: "user", content }], tools };
      expect(() => takeBody(body)).toThrow(expect.objectContaining({ code: "invalid_request" }));
    }
  });
});
