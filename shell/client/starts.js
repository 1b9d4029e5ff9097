// How starts went: which set is known to come up, and which one is given up; the rows of the table in `docs/client.md`,
// as `src/client/boot.rs` has them. The record says how it went with one set, and which others have failed.

/** After how many starts without a confirmation a set is given up. */
const GIVEN_UP_AFTER = 2;

/** How many sets that failed are remembered, and how long one is not taken up again, in seconds. */
const [REMEMBERED, HELD_BACK] = [16, 86_400];

export const starts = {
  none: { bad: [], confirmed: false, set: null, unconfirmed: 0 },

  /** Whether a start of a set was ever confirmed. */
  isConfirmed: ({ confirmed, set }, current) => confirmed && set === current,

  /** Two starts in a row that nobody confirmed, or a set that was given up before. */
  hasFailed: (record, current) =>
    (record.set === current && !record.confirmed && record.unconfirmed >= GIVEN_UP_AFTER) || record.bad.some(({ set }) => set === current),

  /** Until when a set is not taken up, because it failed to start; null when nothing speaks against it. */
  heldBack({ bad }, set, now) {
    const since = bad.findLast((it) => it.set === set)?.since ?? null;
    // A date in the future is that of a clock which was wrong.
    return since !== null && since <= now && now < since + HELD_BACK ? since + HELD_BACK : null;
  },

  /** One start more. */
  counted: ({ bad, set, unconfirmed }, current) => ({ bad, confirmed: false, set: current, unconfirmed: set === current ? unconfirmed + 1 : 1 }),

  /** It went well. */
  confirmed: ({ bad }, current) => ({ bad, confirmed: true, set: current, unconfirmed: 0 }),

  /** Another set is the current one. One that is taken up again after its time has its starts anew. */
  activated: ({ bad }, current) => ({ bad: bad.filter(({ set }) => set !== current), confirmed: false, set: current, unconfirmed: 0 }),

  /** Back to the set before. */
  givenUp({ bad }, failed, previous, now) {
    const all = bad.some(({ set }) => set === failed) ? bad : [...bad, { set: failed, since: now }];
    return { bad: all.slice(-REMEMBERED), confirmed: true, set: previous, unconfirmed: 0 };
  },
};
