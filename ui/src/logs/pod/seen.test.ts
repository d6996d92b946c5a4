import { describe, expect, it } from "vitest";
import { stampOf } from "./line.ts";
import { Seen } from "./seen.ts";

/** A container's log as a kubelet has it: lines with their moments, and what is asked for from a whole second on. */
function answer(log: string[], since: string | null): string[] {
  return since === null ? log : log.filter((line) => stampOf(line).stamp >= stampOf(`${since} x`).stamp);
}

function show(seen: Seen, lines: string[]): { shown: string[]; gaps: number } {
  const shown: string[] = [];
  let gaps = 0;
  for (const line of lines) {
    const { stamp, text } = stampOf(line);
    const fresh = seen.fresh(stamp, text);
    if (fresh === "shown") continue;
    if (fresh === "after a gap") gaps++;
    seen.take(stamp, text);
    shown.push(line);
  }
  return { shown, gaps };
}

const at = (second: number, nanos: number, text: string) => `2026-11-27T06:00:${String(second).padStart(2, "0")}.${String(nanos).padStart(9, "0").replace(/0+$/, "") || "0"}Z ${text}`;

describe("a log that is opened again", () => {
  it("loses no line and says none twice, wherever it was cut", () => {
    // Equal moments, equal texts, and both together; out of order within a second; several in one second.
    const log = [
      at(1, 0, "a"), at(1, 5, "a"), at(1, 5, "a"), at(1, 5, "b"), at(1, 4, "late"), at(2, 0, "a"), at(2, 0, "a"), at(2, 999_999_999, "c"),
      at(3, 1, ""), at(3, 1, ""), at(5, 0, "d"), at(5, 0, "e"), at(9, 0, "f"), at(8, 999_999_999, "late again"), at(9, 0, "f"),
    ];
    for (let cut = 1; cut <= log.length; cut++) {
      for (let second = cut; second <= log.length; second++) {
        const seen = new Seen();
        const first = show(seen, log.slice(0, cut));
        const again = show(seen, answer(log.slice(0, second), seen.reopen()));
        const third = show(seen, answer(log, seen.reopen()));
        expect([...first.shown, ...again.shown, ...third.shown], `cut after ${cut} and ${second}`).toEqual(log);
        expect(again.gaps + third.gaps, `cut after ${cut} and ${second}`).toBe(0);
      }
    }
  });

  it("loses none of ten thousand lines cut a hundred times at random", () => {
    let seed = 11;
    const any = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most;
    let nanos = 0;
    const log = Array.from({ length: 10_000 }, () => {
      nanos += any(3) === 0 ? 0 : any(9_000_000);
      return at(Math.floor(nanos / 1e9), nanos % 1e9, ["x", "y", "x y"][any(3)] ?? "");
    });
    const seen = new Seen();
    const shown: string[] = [];
    for (let come = 0; come < log.length; come += any(200)) shown.push(...show(seen, answer(log.slice(0, come), seen.reopen())).shown);
    shown.push(...show(seen, answer(log, seen.reopen())).shown);
    expect(shown).toEqual(log);
  });

  it("says so when the last line is not there any more", () => {
    const seen = new Seen();
    show(seen, [at(1, 0, "a"), at(2, 0, "b")]);
    seen.reopen();
    expect(show(seen, [at(7, 0, "after a rotation"), at(8, 0, "more")])).toEqual({ shown: [at(7, 0, "after a rotation"), at(8, 0, "more")], gaps: 1 });
  });

  it("does not go back before where it began", () => {
    const seen = new Seen();
    show(seen, [at(5, 7, "the last one of a tail")]);
    seen.reopen();
    expect(show(seen, [at(4, 0, "older"), at(5, 1, "older"), at(5, 7, "the last one of a tail"), at(6, 0, "new")])).toEqual({ shown: [at(6, 0, "new")], gaps: 0 });
  });

  it("begins as it did when nothing was shown", () => {
    const seen = new Seen();
    expect(seen.reopen()).toBeNull();
    expect(show(seen, [at(1, 0, "a")])).toEqual({ shown: [at(1, 0, "a")], gaps: 0 });
  });

  it("cannot know after more lines of one second than it remembers, and says so", () => {
    const seen = new Seen();
    const many = Array.from({ length: 25_000 }, (_, nth) => at(1, nth, `n${nth}`));
    show(seen, many);
    seen.reopen();
    expect(show(seen, [...many, at(2, 0, "next")]).gaps).toBe(1);
  });

  it("asks from a whole second on, one before the last line", () => {
    const seen = new Seen();
    seen.take(stampOf(at(7, 123, "a")).stamp, "a");
    expect(seen.reopen()).toBe("2026-11-27T06:00:06Z");
  });
});

describe("a line's moment", () => {
  it("sorts to the nanosecond, whatever its zone and however short it is written", () => {
    const stamps = ["2026-11-27T06:00:00Z a", "2026-11-27T06:00:00.000000001Z a", "2026-11-27T07:00:00.1+01:00 a", "2026-11-27T06:00:00.11Z a", "2026-11-27T06:00:01Z a"].map((line) => stampOf(line).stamp);
    expect([...stamps].sort()).toEqual(stamps);
  });
  it("is taken from before what was said, and what was said stays whole", () => {
    expect(stampOf("2026-11-27T06:00:00.5Z   two  spaces ").text).toBe("  two  spaces ");
    expect(stampOf("2026-11-27T06:00:00.5Z").text).toBe("");
    expect(stampOf("no moment")).toEqual({ stamp: "", at: "", text: "no moment" });
  });
});
