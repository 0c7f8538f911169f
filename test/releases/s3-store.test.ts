import { describe, expect, it } from "vitest";
import { describeStoreContract } from "../../infra/store/contract.ts";
import { s3Store } from "../../infra/store/s3-store.ts";
import { findPython } from "./python.ts";
import { startMiniflareS3, startMoto } from "./s3-servers.ts";

describeStoreContract("Miniflare's S3 endpoint", async () => {
  const server = await startMiniflareS3();
  return { store: s3Store(server.bucket, server.options), close: () => server.close() };
});

const python = findPython("FOVEA_MOTO_PYTHON", "moto.server");
if (python === null) {
  console.log(
    "only one S3 server is tested: moto is not installed (pip install 'moto[server]', FOVEA_MOTO_PYTHON=python)",
  );
} else {
  describeStoreContract("moto's S3", async () => {
    const server = await startMoto(python);
    return { store: s3Store(server.bucket, server.options), close: () => server.close() };
  });
}

describe("s3: when the store says no", () => {
  it("tells wrong credentials, a missing bucket and no server apart", async () => {
    const server = await startMiniflareS3();
    try {
      const wrong = s3Store(server.bucket, { ...server.options, secretAccessKey: "wrong" });
      await expect(wrong.get("a")).rejects.toMatchObject({ fault: "access_denied" });
    } finally {
      await server.close();
    }
    const nobody = s3Store("fovea-test", { endpoint: "http://127.0.0.1:9", accessKeyId: "a", secretAccessKey: "b" });
    await expect(nobody.get("a")).rejects.toMatchObject({ fault: "unreachable" });
  });
});
