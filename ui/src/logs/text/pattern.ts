// Patterns that are looked for in lines: a part of the text, or a regular expression that takes a time linear in the line,
// whatever the expression (Thompson's construction, as in RE2). Browsers' own expressions can take for ever.
//
// Known: letters, `.`, `[a-z]`, `[^a-z]`, `\d \w \s` and their opposites, `( )`, `(?: )`, `|`, `* + ?`, `{m,n}`, `^` at the
// beginning and `$` at the end of an alternative. Not known, and told: backreferences, looking ahead or behind, `\b`.
//
// Invariants: an expression has at most LONGEST_EXPRESSION letters; a line is looked at up to its first LONGEST_LINE letters.
// Letter case counts when the pattern has a capital letter.

import { Machine } from "./machine.ts";
import { InvalidPattern, Reader } from "./reader.ts";

const LONGEST_EXPRESSION = 500;
export const LONGEST_LINE = 16 * 1024;

export interface Pattern {
  matches(line: string): boolean;
  /** Where it is in the line: beginnings and ends, in order, none within another. */
  places(line: string): [number, number][];
}

/** A part of the text as it stands. */
export function substring(text: string): Pattern {
  const exact = hasCapital(text);
  const needle = exact ? text : text.toLowerCase();
  const fold = (line: string) => folded(line.slice(0, LONGEST_LINE), exact);
  return {
    matches: (line) => fold(line).includes(needle),
    places: (line) => {
      const found: [number, number][] = [];
      const hay = fold(line);
      if (needle === "") return found;
      for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) found.push([at, at + needle.length]);
      return found;
    },
  };
}

/** A regular expression. */
export function expression(text: string): Pattern {
  if (text.length > LONGEST_EXPRESSION) throw new InvalidPattern(`the expression is longer than ${LONGEST_EXPRESSION} letters`);
  const exact = hasCapital(text.replace(/\\[DWS]/g, ""));
  const machine = new Machine(new Reader(text).program());
  return {
    matches: (line) => machine.matches(folded(line.slice(0, LONGEST_LINE), exact)),
    places: (line) => machine.places(folded(line.slice(0, LONGEST_LINE), exact)),
  };
}

function hasCapital(text: string): boolean {
  return text !== text.toLowerCase();
}

/** In lower case, letter for letter: places stay what they are. */
function folded(line: string, exact: boolean): string {
  if (exact) return line;
  const lower = line.toLowerCase();
  return lower.length === line.length ? lower : [...line].map((letter) => (letter.toLowerCase().length === letter.length ? letter.toLowerCase() : letter)).join("");
}

export { InvalidPattern };
