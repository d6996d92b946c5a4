// An object as people read and edit it, and the way back: without the server's bookkeeping, with a Secret's values covered.
//
// Invariant: a covered value that was not touched comes back as it was; one that stands where there is no value to cover is refused.

import type { KubeObject } from "../../api/kube.ts";

const COVER = /^\(hidden, \d+ bytes?\)$/;
const APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Without managedFields; and for comparing, without all that the server alone writes. */
export function withoutBookkeeping(object: KubeObject, all = false): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  if (!all) return { ...object, metadata };
  const { resourceVersion, generation, uid, creationTimestamp, selfLink, ...own } = metadata as typeof metadata & { selfLink?: string };
  const { status, ...rest } = object;
  return { ...rest, metadata: own };
}

/** As it is edited: without its status where that is written in another way. */
export function forEditing(object: KubeObject): KubeObject {
  const { status, ...rest } = withoutBookkeeping(object);
  return rest;
}

export function isSecret(object: Pick<KubeObject, "apiVersion" | "kind">): boolean {
  return object.kind === "Secret" && object.apiVersion === "v1";
}

type Values = Record<string, string>;

/** A Secret with its values covered; any other object as it is. */
export function covered(object: KubeObject): KubeObject {
  if (!isSecret(object)) return object;
  const shown: KubeObject = { ...object, metadata: { ...object.metadata } };
  for (const part of ["data", "stringData"] as const) {
    const values = object[part] as Values | undefined;
    if (values !== undefined && values !== null) {
      shown[part] = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, cover(part === "data" ? decodedLength(value) : value.length)]));
    }
  }
  // kubectl apply leaves all of it there once more.
  const applied = object.metadata.annotations?.[APPLIED];
  if (applied !== undefined) shown.metadata.annotations = { ...object.metadata.annotations, [APPLIED]: cover(applied.length) };
  return shown;
}

/** What was edited while it was covered, with the values back; throws where a cover has nothing under it. */
export function uncovered(edited: KubeObject, original: KubeObject | null): KubeObject {
  if (!isSecret(edited)) return edited;
  const whole: KubeObject = { ...edited, metadata: { ...edited.metadata } };
  for (const part of ["data", "stringData"] as const) {
    const values = edited[part] as Record<string, unknown> | undefined;
    if (values === undefined || values === null) continue;
    const before = (original?.[part] ?? {}) as Values;
    whole[part] = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, under(value, before[key], `${part}.${key}`)]));
  }
  const applied = edited.metadata.annotations?.[APPLIED];
  if (applied !== undefined) {
    const value = under(applied, original?.metadata.annotations?.[APPLIED], `the annotation ${APPLIED}`) as string;
    whole.metadata.annotations = { ...edited.metadata.annotations, [APPLIED]: value };
  }
  return whole;
}

function under(value: unknown, before: string | undefined, where: string): unknown {
  if (typeof value !== "string" || !COVER.test(value)) return value;
  if (before === undefined) throw new Error(`${where} is covered and there is no value under it: write the value, or take the line out`);
  return before;
}

function cover(length: number): string {
  return `(hidden, ${length} byte${length === 1 ? "" : "s"})`;
}

function decodedLength(base64: string): number {
  const padding = /=*$/.exec(base64)?.[0].length ?? 0;
  return Math.max(0, Math.floor((base64.length * 3) / 4) - padding);
}
