// Lines of CSV (RFC 4180) for spreadsheets, of which none calculates what a cluster or a person wrote.

type Cell = string | number | null | undefined;

/** One line, with its end. */
export function csvLine(cells: Cell[]): string {
  return `${cells.map(cell).join(",")}\r\n`;
}

function cell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  // A formula begins with one of these, in some spreadsheets after white space, and in some by the full-width forms.
  const safe = /^\s*[=+\-@＝＋－＠|%]/.test(value) || /^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
