import { formatBytes, formatTable } from "../releases/cli/format.ts";
import type { StageName } from "../../shared/releases/release.ts";
import type { PlacedModel } from "./place-model.ts";

/** What each stage takes and where it runs; a figure is told as what it is. */
export function describeStages({ planned, figures, published }: PlacedModel): string {
  const otherwise = published ? "as published" : "estimate";
  const rows = Object.entries(planned.stages).map(([name, { placement, dtype, memoryBytes }]) => {
    const figure = figures[name as StageName];
    return figure === undefined
      ? [`  ${name}`, placement, dtype, formatBytes(memoryBytes), otherwise, "", ""]
      : [`  ${name}`, placement, dtype, formatBytes(memoryBytes), "measured", ms(figure.loadMs), ms(figure.runMs)];
  });
  return formatTable([["  stage", "runs at", "dtype", "memory", "", "load", "run"], ...rows]);
}

/** A picture's ways by number, and why it takes the one it takes. */
export function describePicture({ picture, encoderAtEdge }: PlacedModel): string[] {
  if (picture === null) return [];
  const { width, height, imageTokens, fileBytes, featureBytes, pixelBytes, decodeMs, processMs, where, reason } =
    picture;
  const least = Math.min(featureBytes ?? pixelBytes, pixelBytes);
  const lines = [
    `  a picture of ${width} x ${height}: ${imageTokens} tokens; decoded in ${ms(decodeMs)}, processed in ${ms(processMs)}`,
    `    as features  ${featureBytes === null ? "the graph leaves the width open" : formatBytes(featureBytes)}`,
    `    as pixels    ${formatBytes(pixelBytes)}`,
    `    as the file  ${formatBytes(fileBytes)}${fileBytes < least ? ", the least, but only the edge decodes files" : ""}`,
    `  encoded at the ${where}: ${reason}`,
  ];
  return encoderAtEdge === null ? lines : [...lines, `  the encoder at the edge: ${encoderAtEdge}`];
}

function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
