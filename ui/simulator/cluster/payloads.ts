/**
 * What a cluster that is somebody else's may say to get at whoever looks at it: markup, script addresses, terminal sequences, directions of
 * writing, names of prototypes. `payloads.txt` has one a line, as JSON writes strings. One that runs sets `window.__xss`; what becomes an
 * element has the class `xss`.
 */
import { readFileSync } from "node:fs";

export const PAYLOADS: readonly string[] = readFileSync(new URL("./payloads.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as string);

/** Payloads in turn, so that each comes up. */
export class Turn {
  private index: number;

  constructor(from: number) {
    this.index = from;
  }

  next(): string {
    const payload = PAYLOADS[this.index % PAYLOADS.length] ?? "";
    this.index += 1;
    return payload;
  }
}
