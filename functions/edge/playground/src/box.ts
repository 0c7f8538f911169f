/** Left, top, right and bottom of a box, as shares of the picture's width and height (0 to 1). */
export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/**
 * The model names box corners in whole hundredths of the picture it saw, 0 to 99 (`recipe/tasks.py`). Hundredths are
 * shares, so squeezing the picture to the model's square moves none of them.
 */
const UNITS_PER_SIDE = 100;
const BOX = /\[\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\]/;

/** The first box that an answer holds (`[x1, y1, x2, y2]`), or undefined if it holds none or one outside the picture. */
export function findBox(answer: string): Box | undefined {
  const match = BOX.exec(answer);
  if (match === null) return undefined;
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = match.slice(1).map((digits) => Number(digits) / UNITS_PER_SIDE);
  if (x2 <= x1 || y2 <= y1 || x2 > 1 || y2 > 1) return undefined;
  return { x1, y1, x2, y2 };
}

/** What the drawn box shows, for those who read. */
export function describeBox({ x1, y1, x2, y2 }: Box): string {
  const percent = (share: number): string => `${Math.round(share * UNITS_PER_SIDE)} %`;
  return (
    `Drawn on the picture: from ${percent(x1)} to ${percent(x2)} of its width ` +
    `and from ${percent(y1)} to ${percent(y2)} of its height.`
  );
}
