// A live table that is read or scrolled does not move: its rows keep their places and are renewed in them, what is new waits and
// is counted, what is gone stays until it is let go.

import { useMemo, useRef, useState } from "react";

export interface Held<R> {
  rows: R[];
  /** How many wait. */
  fresh: number;
  gone: ReadonlySet<string>;
}

/** The rows that were shown, as they are now. */
export function holdRows<R>(before: readonly R[], now: readonly R[], keyOf: (row: R) => string): Held<R> {
  const byKey = new Map(now.map((row) => [keyOf(row), row]));
  const gone = new Set<string>();
  const rows = before.map((row) => {
    const key = keyOf(row);
    const found = byKey.get(key);
    if (found === undefined) gone.add(key);
    return found ?? row;
  });
  return { rows, fresh: now.length - (before.length - gone.size), gone };
}

const NONE: ReadonlySet<string> = new Set();

/** Holds the rows while they are pointed at or scrolled; `asked` is what people choose them by, and a new choice lets go. */
export function useHold<R>(now: R[], arrange: (rows: R[]) => R[], keyOf: (row: R) => string, asked: string | undefined) {
  const [frozen, setFrozen] = useState<{ asked: string | undefined; rows: R[] } | null>(null);
  const active = frozen !== null && asked !== undefined && frozen.asked === asked ? frozen.rows : null;
  const held = useMemo<Held<R>>(
    () => (active === null ? { rows: arrange(now), fresh: 0, gone: NONE } : holdRows(active, now, keyOf)),
    // How rows are named does not change with the function that names them.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [active, now, arrange],
  );
  const reasons = useRef(new Set<string>());
  const hold = (why: string, on: boolean) => {
    if (asked === undefined || reasons.current.has(why) === on) return;
    if (on) reasons.current.add(why);
    else reasons.current.delete(why);
    if (reasons.current.size === 0) setFrozen(null);
    else if (active === null) setFrozen({ asked, rows: held.rows });
  };
  const renew = () => setFrozen(reasons.current.size === 0 ? null : { asked, rows: arrange(now) });
  return { ...held, hold, renew };
}
