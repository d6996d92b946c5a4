// What this browser remembers of a person's choices: pinned and recent clusters, theme, the label that groups. No secret, and
// nothing of a cluster but its name.

import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
const cache = new Map<string, { text: string | null; value: unknown }>();

function read<T>(name: string, otherwise: T): T {
  const text = localStorage.getItem(`trunkline.${name}`);
  const held = cache.get(name);
  if (held !== undefined && held.text === text) return held.value as T;
  let value: unknown = otherwise;
  try {
    if (text !== null) value = JSON.parse(text);
  } catch {
    // Somebody else wrote there.
  }
  cache.set(name, { text, value });
  return value as T;
}

function write(name: string, value: unknown): void {
  localStorage.setItem(`trunkline.${name}`, JSON.stringify(value));
  for (const hear of listeners) hear();
}

function subscribe(hear: () => void): () => void {
  listeners.add(hear);
  window.addEventListener("storage", hear);
  return () => {
    listeners.delete(hear);
    window.removeEventListener("storage", hear);
  };
}

/** A choice that stays. */
export function useKept<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const value = useSyncExternalStore(subscribe, () => read(name, otherwise));
  return [value, (next) => write(name, next)];
}

const MOST_RECENT = 5;

/** A cluster that was gone to comes first among the recent ones. */
export function noteRecent(cluster: string): void {
  const recent = read<string[]>("recent", []);
  if (recent[0] === cluster) return;
  write("recent", [cluster, ...recent.filter((name) => name !== cluster)].slice(0, MOST_RECENT));
}
