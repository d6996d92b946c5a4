// What differs between two texts, as one piece: a text that is put into an editor leaves the caret, the selection and the
// view where they are, unless that very place changed.

interface Changed {
  from: number;
  to: number;
  insert: string;
}

/** The piece of `before` to replace, and by what; null when both are the same. */
export function changed(before: string, after: string): Changed | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from++;
  let same = 0;
  while (same < shorter - from && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}
