// What is run in a cluster so that it joins, in one block to copy, for each way of installing; and what takes the agent out again.
//
// Invariants:
// - files are here-documents, so that the join token is in no process's arguments;
// - what came from the gateway is never read by the shell: a here-document's end is quoted and stands nowhere within, and every
//   other word is quoted;
// - what GitOps commits holds no token.

import type { Shapes } from "../api/client.ts";

export type Join = Shapes["Join"];

export const WAYS = ["helm", "kubectl", "cli", "gitops"] as const;
export type Way = (typeof WAYS)[number];

export const WAY_TITLES: Record<Way, string> = { helm: "Helm", kubectl: "kubectl", cli: "CLI", gitops: "GitOps" };

export interface Block {
  /** What it is and where it is to be run. */
  words: string;
  text: string;
}

export interface Gateway {
  /** PEM of the front door's roots, where they are not public ones. */
  frontRoots?: string | null | undefined;
}

/** A word as a POSIX shell takes it for itself. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A here-document whose end stands nowhere within. */
function here(before: string, end: string, text: string): string {
  let mark = end;
  while (text.split("\n").includes(mark)) mark += "_";
  return `${before} <<'${mark}'\n${text.endsWith("\n") ? text : `${text}\n`}${mark}\n`;
}

/** The blocks of a way, in the order in which they are run. */
export function blocks(way: Way, name: string, join: Join, gateway: Gateway): Block[] {
  switch (way) {
    case "helm": return [{ words: `Run this where kubectl points at ${name}.`, text: helm(name, join, gateway) }];
    case "kubectl": return [{ words: `Run this where kubectl points at ${name}.`, text: here("kubectl apply -f -", "MANIFEST", join.manifest) }];
    case "cli": return [{
      words: `For who is signed in with the command line: it makes a new join token, and the one of the other ways ends.`,
      text: `trunkline clusters register ${name} --renew\nkubectl apply -f trunkline-agent-${name}.yaml\n`,
    }];
    case "gitops": return gitops(name, join);
  }
}

function helm(name: string, join: Join, { frontRoots }: Gateway): string {
  const values = `trunkline-agent-${name}.values.yaml`;
  const roots = "trunkline-gateway-ca.pem";
  const files = here(`cat > ${values}`, "VALUES", join.values) + (frontRoots ? here(`cat > ${roots}`, "ROOTS", frontRoots) : "");
  const namespace = quoted(join.namespace);
  return [
    // The file holds the token.
    "umask 077",
    files.trimEnd(),
    `helm upgrade --install trunkline-agent ${quoted(join.chart)} \\`,
    `  ${frontRoots ? `--ca-file ${roots} ` : ""}-n ${namespace} --create-namespace -f ${values}`,
    `kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=restricted`,
    "",
  ].join("\n");
}

const JOIN_SECRET = "trunkline-agent-join";

function gitops(name: string, join: Join): Block[] {
  const { kept, secret } = withoutSecret(join.manifest);
  const file = `trunkline-agent-${name}.yaml`;
  const namespace = quoted(join.namespace);
  return [
    { words: "Commit this file: Argo CD or Flux applies it. It holds no token.", text: here(`cat > ${file}`, "MANIFEST", kept) },
    {
      words: `Run this once where kubectl points at ${name}, or let your secret store bring it. Never commit it.`,
      text: `kubectl create namespace ${namespace} --dry-run=client -o yaml | kubectl apply -f -\n${here("kubectl apply -f -", "SECRET", secret)}`,
    },
  ];
}

/** A manifest, and the Secret with the join token, which is taken out of it. */
export function withoutSecret(manifest: string): { kept: string; secret: string } {
  const documents = manifest.split(/^---$\n?/m).filter((document) => document.trim() !== "");
  const isSecret = (document: string) => /^kind: Secret$/m.test(document) && new RegExp(`^  name: "?${JOIN_SECRET}"?$`, "m").test(document);
  const text = (some: string[]) => some.map((document) => `---\n${document}`).join("");
  // What stands before the first document says that it holds a token.
  const kept = documents.filter((document) => !isSecret(document) && /^kind:/m.test(document));
  return { kept: text(kept), secret: text(documents.filter(isSecret)) };
}

/** What takes an agent out of its cluster, by each way that it came. */
export function uninstall(name: string, namespace = "trunkline"): Block[] {
  const there = quoted(namespace);
  return [
    { words: "It came by Helm:", text: `helm uninstall trunkline-agent -n ${there}\nkubectl delete namespace ${there}\n` },
    { words: "It came by kubectl:", text: `kubectl delete -f trunkline-agent-${name}.yaml\n` },
  ];
}
