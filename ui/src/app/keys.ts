// Keys: one table of them, that `?` shows, and that can be switched off (WCAG 2.1.4).
//
// Invariants: a key does nothing while somebody types; no single key deletes; what is listed is what works.

import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  /** `g c` is g and then c; `Mod+k` is Ctrl or Command with k. */
  keys: string;
  words: string;
  run: () => void;
}

const SEQUENCE_MS = 1_000;
const OFF = "trunkline.keys";

let shortcuts: Shortcut[] = [];
let pressed: { key: string; at: number } | null = null;
const listeners = new Set<() => void>();

export function keysAreOn(): boolean {
  return localStorage.getItem(OFF) !== "off";
}

export function switchKeys(on: boolean): void {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "off");
  tell();
}

/** These work while the component is there; of two with the same keys the one that came last. */
export function useKeys(own: Shortcut[]): void {
  const latest = useRef(own);
  useEffect(() => {
    latest.current = own;
  });
  const names = own.map(({ keys, words }) => `${keys}\u0000${words}`).join("\u0001");
  useEffect(() => {
    const mine = names === "" ? [] : names.split("\u0001").map((name, at) => {
      const [keys = "", words = ""] = name.split("\u0000");
      return { keys, words, run: () => latest.current[at]?.run() };
    });
    shortcuts = [...shortcuts, ...mine];
    tell();
    return () => {
      shortcuts = shortcuts.filter((one) => !mine.includes(one));
      tell();
    };
  }, [names]);
}

/** All that work now. */
export function useAllKeys(): Shortcut[] {
  return useSyncExternalStore(subscribe, () => shortcuts);
}

export function useKeysOn(): boolean {
  return useSyncExternalStore(subscribe, keysAreOn);
}

/** Hears the page's keys. */
export function listen(target: Document): () => void {
  const hear = (event: KeyboardEvent) => {
    const chord = event.ctrlKey || event.metaKey;
    if (event.defaultPrevented || event.altKey || (!chord && (isTyping(event.target) || !keysAreOn()))) return;
    const key = chord ? `Mod+${event.key.toLowerCase()}` : event.key;
    const now = Date.now();
    const before = pressed !== null && now - pressed.at < SEQUENCE_MS ? `${pressed.key} ${key}` : null;
    const found = of(before) ?? of(key);
    pressed = found === undefined ? { key, at: now } : null;
    if (found === undefined) return;
    event.preventDefault();
    found.run();
  };
  target.addEventListener("keydown", hear);
  return () => target.removeEventListener("keydown", hear);
}

function of(keys: string | null): Shortcut | undefined {
  return keys === null ? undefined : shortcuts.findLast((one) => one.keys === keys);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest("[data-keys=own]") !== null;
}

function subscribe(hear: () => void): () => void {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

function tell(): void {
  for (const hear of listeners) hear();
}
