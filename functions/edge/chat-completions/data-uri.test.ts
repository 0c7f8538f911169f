import { describe, expect, it } from "vitest";
import { MAX_IMAGE_FILE_BYTES } from "../../../shared/limits/image.ts";
import { decodeDataUri } from "./data-uri.ts";

describe("decodeDataUri", () => {
  it("decodes base64, whatever type is claimed", () => {
    expect([...decodeDataUri("data:image/png;base64,AQID", "p")]).toEqual([1, 2, 3]);
    expect([...decodeDataUri("DATA:IMAGE/SVG+XML;BASE64,AQI=", "p")]).toEqual([1, 2]);
  });

  it.each([
    ["http://example.com/a.png", "unsupported_image_url"],
    ["https://example.com/a.png", "unsupported_image_url"],
    ["file:///etc/passwd", "unsupported_image_url"],
    ["/etc/passwd", "unsupported_image_url"],
    ["", "unsupported_image_url"],
    ["data:text/html;base64,AQID", "unsupported_image_url"],
    ["data:image/png,AQID", "unsupported_image_url"],
    ["data:image/png;base64,", "invalid_image"],
    ["data:image/png;base64,A", "invalid_image"],
    ["data:image/png;base64,!!!!", "invalid_image"],
    ["data:image/png;base64,AQ-_", "invalid_image"],
    [`data:image/png;base64,${"A".repeat(Math.ceil(MAX_IMAGE_FILE_BYTES / 3) * 4 + 8)}`, "image_too_large"],
  ])("refuses %.40s", (url, code) => {
    expect(() => decodeDataUri(url, "messages[0].content[1].image_url.url")).toThrow(
      expect.objectContaining({ code, param: "messages[0].content[1].image_url.url" }),
    );
  });
});
