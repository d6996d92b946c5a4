// Runs a program over a line, all of its ways at once: a time linear in the line, whatever the program.
//
// Invariant: of the sets of states that were met, no more than MOST_KNOWN are remembered.

import type { Program } from "./reader.ts";

const MOST_KNOWN = 2_000;

/** Sets of states that were met before know where each letter leads. */
interface Known {
  states: number[];
  to: Map<number, Known>;
  done: boolean;
  doneAtEnd: boolean;
}

export class Machine {
  private known = new Map<string, Known>();
  private first: Known | null = null;

  constructor(private readonly program: Program) {}

  matches(line: string): boolean {
    let now = (this.first ??= this.know([this.program.start], true));
    for (let at = 0; at < line.length; at++) {
      if (now.done) return true;
      now = this.step(now, line.charCodeAt(at));
    }
    return now.done || now.doneAtEnd;
  }

  /** The leftmost and longest each. Threads carry where they began; of two at one state the earlier goes on. */
  places(line: string): [number, number][] {
    const found: [number, number][] = [];
    if (!this.matches(line)) return found;
    const { states, start } = this.program;
    let from = 0;
    while (from <= line.length) {
      let best: [number, number] | null = null;
      let threads = new Map<number, number>();
      for (let at = from; at <= line.length; at++) {
        if (best === null) this.follow(start, at, threads, at === 0, at === line.length);
        else if (threads.size === 0) break;
        const next = new Map<number, number>();
        for (const [state, begun] of threads) {
          const here = states[state];
          if (here?.kind === "done") {
            if (best === null || begun < best[0] || (begun === best[0] && at > best[1])) best = [begun, at];
          } else if (here?.kind === "letter" && at < line.length && here.test(line.charCodeAt(at))) {
            if (best === null || begun <= best[0]) this.follow(here.next, begun, next, false, at + 1 === line.length);
          }
        }
        threads = next;
      }
      if (best === null) break;
      if (best[1] > best[0]) found.push(best);
      from = Math.max(best[1], from + 1, best[0] + 1);
    }
    return found;
  }

  private follow(from: number, begun: number, threads: Map<number, number>, atBegin: boolean, atEnd: boolean): void {
    for (const state of this.closure([from], atBegin, atEnd)) {
      const before = threads.get(state);
      if (before === undefined || begun < before) threads.set(state, begun);
    }
  }

  private step(from: Known, code: number): Known {
    const told = from.to.get(code);
    if (told !== undefined) return told;
    // It may begin anywhere.
    const next = [this.program.start];
    for (const at of from.states) {
      const state = this.program.states[at];
      if (state?.kind === "letter" && state.test(code)) next.push(state.next);
    }
    const known = this.know(next, false);
    if (from.to.size < 256) from.to.set(code, known);
    return known;
  }

  private know(from: number[], atBegin: boolean): Known {
    const states = [...this.closure(from, atBegin, false)].sort((a, b) => a - b);
    const name = `${atBegin ? "^" : ""}${states.join()}|${[...new Set(from)].sort((a, b) => a - b).join()}`;
    const before = this.known.get(name);
    if (before !== undefined) return before;
    if (this.known.size >= MOST_KNOWN) {
      this.known.clear();
      this.first = null;
    }
    const isDone = (set: Iterable<number>) => [...set].some((at) => this.program.states[at]?.kind === "done");
    const known = { states, to: new Map<number, Known>(), done: isDone(states), doneAtEnd: isDone(this.closure(from, atBegin, true)) };
    this.known.set(name, known);
    return known;
  }

  /** All that are reached without a letter. */
  private closure(from: number[], atBegin: boolean, atEnd: boolean): Set<number> {
    const seen = new Set<number>();
    const stack = [...from];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (at < 0 || seen.has(at)) continue;
      seen.add(at);
      const state = this.program.states[at];
      if (state?.kind === "split") stack.push(state.second, state.first);
      else if (state?.kind === "begin" && atBegin) stack.push(state.next);
      else if (state?.kind === "end" && atEnd) stack.push(state.next);
    }
    return seen;
  }
}
