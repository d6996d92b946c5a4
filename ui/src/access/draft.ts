// A rule as fields of a form, and back. What the form does not show of a rule is kept as it is.

import type { Shapes } from "../api/client.ts";

type Spec = Shapes["AccessSpec"];

export interface Draft {
  description: string;
  users: string;
  groups: string;
  clusters: string;
  selector: string;
  namespaces: string;
  role: NonNullable<Spec["role"]>;
  verbs: string;
  resources: string;
  asUser: string;
  asGroups: string;
  fleet: NonNullable<Spec["fleet"]>;
  record: boolean;
}

const joined = (words: string[] | null | undefined) => (words ?? []).join(", ");
const split = (text: string) => text.split(",").map((word) => word.trim()).filter((word) => word !== "");

export function draftOf(spec: Spec): Draft {
  return {
    description: spec.description ?? "",
    users: joined(spec.subjects.users),
    groups: joined(spec.subjects.groups),
    clusters: joined(spec.clusters?.names),
    selector: spec.clusters?.selector ?? "",
    namespaces: joined(spec.namespaces),
    role: spec.role ?? "viewer",
    verbs: joined(spec.verbs),
    resources: joined(spec.resources),
    asUser: spec.identity?.user ?? "",
    asGroups: joined(spec.identity?.groups),
    fleet: spec.fleet ?? "none",
    record: spec.record ?? false,
  };
}

export function specOf(draft: Draft, before: Spec): Spec {
  const custom = draft.role === "custom";
  const identity = {
    ...(draft.asUser.trim() === "" ? {} : { user: draft.asUser.trim() }),
    ...(split(draft.asGroups).length === 0 ? {} : { groups: split(draft.asGroups) }),
  };
  const { identity: _before, ...kept } = before;
  return {
    ...kept,
    description: draft.description,
    subjects: { users: split(draft.users), groups: split(draft.groups) },
    clusters: { names: split(draft.clusters), ...(draft.selector.trim() === "" ? {} : { selector: draft.selector.trim() }) },
    namespaces: split(draft.namespaces),
    role: draft.role,
    verbs: custom ? split(draft.verbs) : [],
    resources: custom ? split(draft.resources) : [],
    fleet: draft.fleet,
    record: draft.record,
    ...(Object.keys(identity).length === 0 ? {} : { identity: identity }),
  };
}
