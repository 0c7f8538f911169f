import { runCommand } from "citty";
import { expect, it } from "vitest";
import { UsageError } from "../usage.ts";
import dev from "./dev.ts";

it("fovea dev refuses one port for both before it starts anything", async () => {
  const run = runCommand(dev, { rawArgs: ["--port", "9000", "--origin-port", "9000", "--dir", "/dev/null/absent"] });
  await expect(run).rejects.toThrow(UsageError);
});
