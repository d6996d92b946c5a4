// Text that a cluster made, as it may be shown: what would move the cursor, colour, or turn the reading direction is seen in
// place of being done. It stays text; nothing here makes markup.

// C0 and C1 controls but for the tab and the line feed, and what Unicode reorders text with (UAX #9, CVE-2021-42574).
 
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text with each unseen character as a sign that names it: `␛` for escape, `<U+202E>` for a change of direction. */
export function harmless(text: string): string {
  return text.replace(UNSEEN, (sign) => {
    const code = sign.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/** Any value as one line of text. */
export function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return harmless(typeof value === "string" ? value : JSON.stringify(value));
}
