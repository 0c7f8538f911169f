import { describe, expect, it } from "vitest";
import { FoveaError, toFoveaError } from "./error.ts";

describe("FoveaError", () => {
  it("renders the OpenAI error shape", () => {
    const error = new FoveaError("model_not_found", "No such model.", { param: "model" });
    expect(error.status).toBe(404);
    expect(error.toBody()).toEqual({
      error: { message: "No such model.", type: "invalid_request_error", param: "model", code: "model_not_found" },
    });
  });

  it("never shows a foreign error's message", () => {
    const error = toFoveaError(new TypeError("secret at /home/x"));
    expect(error.code).toBe("internal_error");
    expect(JSON.stringify(error.toBody())).not.toContain("secret");
  });
});
