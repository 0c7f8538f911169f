import type { Timing } from "../../../../../shared/openai/timing.ts";
import { byId, element } from "../dom.ts";
import { formatBytes, formatMs, timeline, SPAN_LABELS, type Row } from "../timeline.ts";

const section = byId("time", HTMLElement);

/** Milliseconds from the click to the first word and to the end, by the browser's own clock. */
export interface Waited {
  readonly firstWordMs: number;
  readonly totalMs: number;
}

export function renderWaterfall(timing: Timing, waited: Waited): void {
  byId("waterfall", HTMLElement).replaceChildren(...timeline(timing).map(toLine));
  byId("time-facts", HTMLElement).textContent = [
    `${formatMs(timing.total_ms)} at the server`,
    `here, the first word came after ${formatMs(waited.firstWordMs)} and the last after ${formatMs(waited.totalMs)}`,
    `${formatBytes(timing.wire_bytes)} went from edge to origin`,
    `${timing.decode_steps} decode ${timing.decode_steps === 1 ? "step" : "steps"}.`,
  ]
    .join("; ")
    .concat(
      timing.local
        ? ""
        : " In production the edge's clock stands still while it computes, so its stages show no time of their own.",
    );
  section.hidden = false;
}

export function hideWaterfall(): void {
  section.hidden = true;
}

function toLine({ name, place, durationMs, bars }: Row): HTMLElement {
  const track = element("span", "track");
  for (const { start, length } of bars) {
    const bar = element("span", `piece ${place}`);
    bar.style.insetInlineStart = `${start * 100}%`;
    bar.style.inlineSize = `${length * 100}%`;
    track.append(bar);
  }
  const where = element("span", "visually-hidden", ` (${place})`);
  return element(
    "li",
    "",
    element("span", "span-name", SPAN_LABELS[name], where),
    track,
    element("span", "span-ms", formatMs(durationMs)),
  );
}
