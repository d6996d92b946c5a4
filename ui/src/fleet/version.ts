// Versions: which is older, and what to sort them by.

/** The numbers of a version: `v1.34.2` is 1, 34, 2. What follows `-` or `+` does not count. */
function numbers(version: string): number[] {
  return (version.split(/[-+]/)[0] ?? "").split(/[^0-9]+/).filter((part) => part !== "").map(Number);
}

/** Whether one version is older than another. What has no numbers is older than nothing. */
export function isOlder(version: string, than: string): boolean {
  const [own, other] = [numbers(version), numbers(than)];
  if (own.length === 0 || other.length === 0) return false;
  for (let at = 0; at < Math.max(own.length, other.length); at++) {
    const difference = (own[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** A text that sorts as the version does: v1.9 before v1.31. Unknown ones come first. */
export function versionKey(version: string | null | undefined): string {
  return numbers(version ?? "").map((number) => String(number).padStart(6, "0")).join(".");
}
