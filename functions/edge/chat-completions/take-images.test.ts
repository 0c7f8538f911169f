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

  it("refuses data URIs that no image part owns", () => {
    const extra = {
      model: "m",
      messages: [{ role: "user", content: "x" }],
      other: { url: "data:image/png;base64,AQID" },
    };
    expect(() => takeBody(extra)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });
});
