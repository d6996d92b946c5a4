// Numbers with their units.

const PREFIXES = ["", "Ki", "Mi", "Gi", "Ti"];

/** `12.3 MiB` */
export function bytes(count: number): string {
  let at = 0;
  let value = count;
  while (value >= 1024 && at < PREFIXES.length - 1) {
    value /= 1024;
    at++;
  }
  return `${at === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${PREFIXES[at]}B`;
}

/** `38 ms` */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString("en");
}
