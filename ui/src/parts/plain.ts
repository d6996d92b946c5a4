// What a cluster said, as text that cannot mislead: characters that move the cursor, change the direction of what is read, or
// are seen by nobody are shown as what they are.

// Control characters but line feed and tab; direction marks, overrides and isolates; what has no width; line separators.
const MISLEADING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text with all that misleads written out: `\u202e` in place of a direction override. */
export function plain(text: string): string {
  return text.replace(MISLEADING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
