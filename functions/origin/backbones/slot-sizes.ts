/** Room grows in steps of this many positions: a call costs time in proportion to the room, used or not. */
const ROOM_STEP = 128;

/** Slots that are made at once when there are two. */
const SLOT_STEP = 4;

/** Slots for so many sequences. @param lone those of one; @param most that may be */
export function slotsFor(count: number, lone: number, most: number): number {
  const wanted = count <= 2 ? Math.max(count, lone) : Math.ceil(count / SLOT_STEP) * SLOT_STEP;
  return Math.min(wanted, most);
}

/** Room of a sequence that is at its longest. */
export function wholeRoom(tokens: number): number {
  return Math.ceil(tokens / ROOM_STEP) * ROOM_STEP;
}

/**
 * Room for `tokens` positions now: long ones get a quarter more, so that a growing answer is not copied at every step, but no
 * more than the longest is going to need.
 */
export function growingRoom(tokens: number, longest: number): number {
  const wanted = tokens <= 4 * ROOM_STEP ? tokens : tokens * 1.25;
  return wholeRoom(Math.max(tokens, Math.min(wanted, longest)));
}
