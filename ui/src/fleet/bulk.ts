// The same done to several clusters: a few at a time, each by itself, so that one that fails holds up no other.

import { asFault, type Fault } from "../api/fault.ts";
import { quoted } from "./commands.ts";

const AT_ONCE = 4;

export interface Outcome<T> {
  done: { name: string; answer: T }[];
  failed: { name: string; fault: Fault }[];
}

/** Does it to each; `tell` hears how many are through. */
export async function toEach<T>(names: readonly string[], act: (name: string) => Promise<T>, tell: (through: number) => void): Promise<Outcome<T>> {
  const outcome: Outcome<T> = { done: [], failed: [] };
  let next = 0;
  const work = async () => {
    for (let name = names[next++]; name !== undefined; name = names[next++]) {
      try {
        outcome.done.push({ name, answer: await act(name) });
      } catch (error) {
        outcome.failed.push({ name, fault: asFault(error) });
      }
      tell(outcome.done.length + outcome.failed.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const at = new Map(names.map((name, index) => [name, index]));
  outcome.done.sort((a, b) => (at.get(a.name) ?? 0) - (at.get(b.name) ?? 0));
  return outcome;
}

/** A script that writes each manifest to a file of its own, for its owner's eyes alone. */
export function manifestScript(manifests: readonly { name: string; manifest: string }[]): string {
  const files = manifests.map(({ name, manifest }) => {
    let mark = "MANIFEST";
    while (manifest.split("\n").includes(mark)) mark += "_";
    return `cat > ${quoted(`trunkline-agent-${name}.yaml`)} <<'${mark}'\n${manifest.replace(/\n?$/, "\n")}${mark}\n`;
  });
  return [
    "#!/bin/sh",
    "# Writes the manifest of each cluster into this folder. Each holds a join token: keep it to yourself until it was used.",
    "# Then, where kubectl points at a cluster: kubectl apply -f trunkline-agent-NAME.yaml",
    "set -eu",
    "umask 077",
    ...files,
  ].join("\n");
}
