import OpenAI from "openai";
import type { Stack } from "../../infra/local/stack.ts";
import { ask } from "./ask.ts";
import { difference } from "./compare.ts";
import { readReference, type ZooModel } from "./models.ts";
import { publishModel } from "./publish.ts";

/** Where the encoder runs. */
export const PLACEMENTS = ["edge", "origin"] as const;
export type Placement = (typeof PLACEMENTS)[number];

/** What a model answered on one placement, against its reference. */
export interface Outcome {
  readonly requests: number;
  /** Answers that are the reference's, id for id. */
  readonly same: { readonly whole: number; readonly streamed: number };
  /** Where the others first differ, or how they failed. */
  readonly differences: readonly string[];
  /** One whole frame, bytes, mean over the requests with one picture. */
  readonly frameBytes: number;
}

const MODES = ["whole", "streamed"] as const;

/** Publishes a model with its encoder at `placement` and asks each request of its reference, whole and streamed. */
export async function askAll(
  stack: Pick<Stack, "edgeUrl" | "apiKey" | "s3">,
  zooModel: ZooModel,
  placement: Placement,
): Promise<Outcome> {
  const client = new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey: stack.apiKey, maxRetries: 2 });
  const model = `${zooModel.name}-at-${placement}`;
  await publishModel(stack.s3, zooModel, model, placement);
  const { about, requests } = await readReference(zooModel);
  const same = { whole: 0, streamed: 0 };
  const differences: string[] = [];
  const frames: number[] = [];
  for (const request of requests) {
    for (const mode of MODES) {
      try {
        const answer = await ask(client, zooModel, { model, request, stream: mode === "streamed" });
        // A second request names its pictures by hash: the first shows what they weigh
        if (mode === "whole" && request.images.length === 1) frames.push(answer.wireBytes);
        const found = difference(answer, request, about);
        if (found === null) same[mode]++;
        else differences.push(`${request.name}, ${mode}: ${found}`);
      } catch (error) {
        differences.push(`${request.name}, ${mode}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  const frameBytes = frames.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, frames.length);
  return { requests: requests.length, same, differences, frameBytes };
}
