// What differs between two versions of an object, and how two people's changes of one go together. Pure.
//
// Lists whose items all have a name of their own (containers, ports, env) are compared by that name, as the API server does;
// any other list is one value.

export interface Change {
  /** `spec.containers[web].image` */
  path: string;
  before: unknown;
  after: unknown;
}

export interface Conflict {
  path: string;
  base: unknown;
  theirs: unknown;
  mine: unknown;
}

export type Side = "theirs" | "mine";

export interface Merged {
  /** With each conflict as it was chosen; where nothing was chosen, as it is with them. */
  value: unknown;
  conflicts: Conflict[];
}

type Fields = Record<string, unknown>;

export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => same(one, b[at]));
  if (!isFields(a) || !isFields(b)) return false;
  const names = Object.keys(a).filter((name) => a[name] !== undefined);
  return names.length === Object.keys(b).filter((name) => b[name] !== undefined).length && names.every((name) => same(a[name], b[name]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The items of a list by their names; null for a list that is one value. */
function named(list: unknown): Map<string, unknown> | null {
  if (!Array.isArray(list) || list.length === 0) return null;
  const found = new Map<string, unknown>();
  for (const item of list as unknown[]) {
    const name = isFields(item) ? item["name"] : undefined;
    if (typeof name !== "string" || found.has(name)) return null;
    found.set(name, item);
  }
  return found;
}

function join(path: string, name: string, isItem: boolean): string {
  if (isItem) return `${path}[${name}]`;
  const step = /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
  return path === "" ? step : `${path}.${step}`;
}

/** All that differs, field by field, in the order of the fields. */
export function changesOf(before: unknown, after: unknown, path = ""): Change[] {
  if (same(before, after)) return [];
  const [left, right] = [named(before), named(after)];
  if (left !== null && right !== null) {
    return [...new Set([...left.keys(), ...right.keys()])].flatMap((name) => changesOf(left.get(name), right.get(name), join(path, name, true)));
  }
  if (!isFields(before) || !isFields(after)) return [{ path, before, after }];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => changesOf(before[name], after[name], join(path, name, false)));
}

/** Puts two changes of one object together. What only one side changed is taken; what both changed to different values is a conflict. */
export function merge(base: unknown, theirs: unknown, mine: unknown, choose: (path: string) => Side | undefined = () => undefined, path = ""): Merged {
  if (same(theirs, mine) || same(base, mine)) return { value: theirs, conflicts: [] };
  if (same(base, theirs)) return { value: mine, conflicts: [] };
  const [there, here] = [named(theirs), named(mine)];
  if (there !== null && here !== null) {
    const was = named(base) ?? new Map<string, unknown>();
    const { values, conflicts } = mergeEach(was, there, here, choose, (name) => join(path, name, true));
    return { value: [...values.values()], conflicts };
  }
  if (isFields(theirs) && isFields(mine)) {
    const was = new Map(Object.entries(isFields(base) ? base : {}));
    const each = mergeEach(was, new Map(Object.entries(theirs)), new Map(Object.entries(mine)), choose, (name) => join(path, name, false));
    return { value: Object.fromEntries(each.values), conflicts: each.conflicts };
  }
  return { value: choose(path) === "mine" ? mine : theirs, conflicts: [{ path, base, theirs, mine }] };
}

function mergeEach(
  base: Map<string, unknown>, theirs: Map<string, unknown>, mine: Map<string, unknown>,
  choose: (path: string) => Side | undefined, at: (name: string) => string,
): { values: Map<string, unknown>; conflicts: Conflict[] } {
  const values = new Map<string, unknown>();
  const conflicts: Conflict[] = [];
  for (const name of new Set([...theirs.keys(), ...mine.keys()])) {
    const merged = merge(base.get(name), theirs.get(name), mine.get(name), choose, at(name));
    conflicts.push(...merged.conflicts);
    if (merged.value !== undefined) values.set(name, merged.value);
  }
  return { values, conflicts };
}

/** Fields that Kubernetes never changes in place: kind and pattern of the path. */
const FIXED: [string, RegExp][] = [
  ["Deployment", /^spec\.selector/], ["ReplicaSet", /^spec\.selector/], ["DaemonSet", /^spec\.selector/],
  ["StatefulSet", /^spec\.(selector|serviceName|podManagementPolicy|volumeClaimTemplates)/],
  ["Job", /^spec\.(selector|template|completionMode)/],
  ["Service", /^spec\.clusterIPs?/],
  ["PersistentVolumeClaim", /^spec\.(accessModes|storageClassName|volumeName|selector|volumeMode|dataSource)/],
  ["StorageClass", /^(provisioner|parameters|reclaimPolicy|volumeBindingMode)/],
  ["RoleBinding", /^roleRef/], ["ClusterRoleBinding", /^roleRef/],
  ["Secret", /^type$/], ["CustomResourceDefinition", /^spec\.(group|scope)/],
  ["Pod", /^spec\.(?!activeDeadlineSeconds|tolerations|terminationGracePeriodSeconds|schedulingGates)(?!(init)?[cC]ontainers\[[^\]]+\]\.(image|resources))/],
];
const FIXED_EVERYWHERE = /^(apiVersion|kind|metadata\.(name|namespace|uid|creationTimestamp))$/;

/** Those of the changes that the API server will not take, because the field cannot change while the object lives. */
export function immutable(kind: string, changes: Change[], base: unknown): string[] {
  const sealed = (kind === "Secret" || kind === "ConfigMap") && isFields(base) && base["immutable"] === true;
  return changes
    .map(({ path }) => path)
    .filter((path) =>
      FIXED_EVERYWHERE.test(path) || FIXED.some(([of, fields]) => of === kind && fields.test(path)) ||
      (sealed && /^(data|binaryData|stringData|immutable)/.test(path)));
}
