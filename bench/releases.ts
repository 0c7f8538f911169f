import { fork } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { startMiniflareS3 } from "../test/releases/s3-servers.ts";
import { writeSyntheticModel } from "../test/releases/synthetic-model.ts";
import type { Bench, Table } from "./bench.ts";
import { temporaryFolder } from "./files/temporary-folder.ts";
import type { Job, Outcome, Step } from "./releases/job.ts";

/**
 * Time, rate and memory of a synthetic release, each step in a process of its own so that its peak is its own. Sizes in MB
 * and the store (`file` or `s3`, which is Miniflare's S3 endpoint on loopback) come from the command line.
 */
export const bench: Bench = {
  name: "releases",
  title: "Publish, verify and load of a synthetic release",
  usage: "[MB...] [file | s3]...",
  allows: /^(?:\d+|file|s3)$/,
  async run({ args }) {
    const sizes = args.filter((arg) => /^\d+$/.test(arg)).map(Number);
    const stores = args.filter((arg) => arg === "file" || arg === "s3");
    const rows: (string | number)[][] = [];
    for (const megabytes of sizes.length > 0 ? sizes : [100, 1000]) {
      for (const store of stores.length > 0 ? stores : ["file"]) rows.push(...(await measure(megabytes, store)));
    }
    return {
      columns: ["MB", "store", "step", "s", "MB/s", "shards written", "peak RSS MB"],
      rows,
      notes: [
        "Both ends run on this machine, so a rate is that of hashing and copying, not of a link.",
        "Budget of every step: 300 MB resident, whatever the release weighs.",
      ],
    } satisfies Table;
  },
};

async function measure(megabytes: number, kind: string): Promise<(string | number)[][]> {
  const folder = await temporaryFolder("releases");
  const server = kind === "s3" ? await startMiniflareS3() : null;
  try {
    const dir = join(folder, "model");
    await writeSyntheticModel(dir, megabytes);
    const job = {
      dir,
      store: server === null ? `file:${join(folder, "store")}` : `s3://${server.bucket}`,
      options: server?.options ?? {},
      cacheDir: join(folder, "cache"),
    };
    const steps: Step[] = [
      "publish",
      "publish again",
      "verify",
      ...(server === null ? [] : ["origin" as const]),
      "one weight",
    ];
    const rows: (string | number)[][] = [];
    for (const step of steps) {
      if (step === "one weight") await changeOneWeight(dir, megabytes);
      const { seconds, bytes, shards, peak } = await inChild({ ...job, step });
      const rate = Math.round(bytes / 1e6 / seconds);
      rows.push([megabytes, kind, step, Number(seconds.toFixed(2)), rate, shards, Math.round(peak / 1e6)]);
    }
    return rows;
  } finally {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function changeOneWeight(dir: string, megabytes: number): Promise<void> {
  const file = await open(join(dir, "onnx", "decoder_model_merged.onnx"), "r+");
  await file.write(new Uint8Array([0xff, 0, 0xff, 0]), 0, 4, megabytes * 500_000);
  await file.close();
}

/** Throws when the child ends without a result. */
async function inChild(job: Job): Promise<Outcome> {
  const child = fork(new URL("./releases/job.ts", import.meta.url), { serialization: "advanced" });
  child.send(job);
  const exited = once(child, "exit");
  const message = await Promise.race([once(child, "message"), exited.then(() => null)]);
  if (message === null) throw new Error(`the step ${job.step} ended without a result`);
  await exited;
  return message[0] as Outcome;
}
