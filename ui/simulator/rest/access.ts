/** Access rules, and what they say to a question. */
import { bodyOf, json, problem, type Answer, type Asked } from "../door/answer.ts";
import { iso, type Schemas } from "../fleet/shapes.ts";
import { labelTest } from "../kubernetes/select.ts";
import type { World } from "../world.ts";

type Rule = Schemas["AccessRule"];

function rule(name: string, spec: Schemas["AccessSpec"], origin: Schemas["RuleOrigin"] = "registry"): Rule {
  const kept = origin === "registry";
  return {
    apiVersion: "trunkline.dev/v1", kind: "AccessRule",
    metadata: { name, origin, revision: kept ? 1 : 0, createdBy: kept ? "jane" : "", created: kept ? iso(Date.now() - 20 * 86_400_000) : null },
    spec,
  };
}

export function builtIn(empty: boolean): Map<string, Rule> {
  const everywhere = { names: ["*", "management"] };
  const rules = [
    rule("trunkline-admins", { subjects: { groups: ["trunkline:admins"] }, role: "admin", clusters: everywhere, fleet: "admin", description: "may do all" }, "built-in"),
    rule("trunkline-operators", { subjects: { groups: ["trunkline:operators"] }, role: "operator", clusters: everywhere, fleet: "viewer" }, "built-in"),
    rule("trunkline-viewers", { subjects: { groups: ["trunkline:viewers"] }, role: "viewer", clusters: everywhere, fleet: "viewer" }, "built-in"),
    ...(empty
      ? []
      : [
          rule("on-call", { subjects: { groups: ["on-call"] }, role: "operator", clusters: { names: ["*"] }, record: true, description: "Whoever is on call; their sessions are recorded" }, "file"),
          rule("shop-developers", { subjects: { groups: ["shop"] }, role: "operator", clusters: { selector: "env in (dev,staging)" }, namespaces: ["shop"], description: "The shop's developers, in its namespace" }),
          rule("auditors", { subjects: { users: ["li"], groups: ["audit"] }, role: "custom", verbs: ["get", "list"], resources: ["pods", "networkpolicies.networking.k8s.io"], clusters: { names: ["prod-eu", "prod-us"] } }),
        ]),
  ];
  return new Map(rules.map((one) => [one.metadata.name, one]));
}

export function accessRules(world: World, asked: Asked, name: string): Answer {
  const { rules } = world;
  if (name === "") {
    const items = [...rules.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    return json({ apiVersion: "trunkline.dev/v1", kind: "AccessRuleList", items });
  }
  const there = rules.get(name);
  if (asked.method === "PUT") {
    const wants = bodyOf<Schemas["NewAccessRule"]>(asked);
    if (there && there.metadata.origin !== "registry") return problem(409, "Declared", `the rule ${name} is ${there.metadata.origin === "file" ? "in the gateway's file" : "built in"}: it is not changed here`);
    const revision = there?.metadata.revision ?? 0;
    if (wants.revision != null && wants.revision !== revision) return problem(409, "Conflict", `the rule was changed since: its revision is ${revision}`);
    const made = { ...rule(name, wants.spec), metadata: { name, origin: "registry" as const, revision: revision + 1, createdBy: asked.user, created: iso(Date.now()) } };
    rules.set(name, made);
    world.audit.change(asked, "put rule", null, name);
    return json(made, there ? 200 : 201);
  }
  if (there === undefined) return problem(404, "NotFound", `there is no access rule ${name}`);
  if (asked.method === "GET") return json(there);
  if (there.metadata.origin !== "registry") return problem(409, "Declared", `the rule ${name} is not in the registry: it is not removed here`);
  rules.delete(name);
  world.audit.change(asked, "remove rule", null, name);
  return json(there);
}

const VERBS: Record<Schemas["Role"], (verb: string, resource: string) => boolean> = {
  admin: () => true,
  operator: (verb, resource) => resource !== "secrets" || verb !== "list",
  viewer: (verb, resource) => ["get", "list", "watch"].includes(verb) && resource !== "secrets",
  custom: () => true,
};

export function testAccess(world: World, asked: Asked): Answer {
  const question = bodyOf<Schemas["AccessQuestion"]>(asked);
  const cluster = world.fleet.get(question.cluster);
  if (cluster === undefined) return problem(404, "NotFound", `there is no cluster ${question.cluster}`);
  const groups = question.groups ?? world.sessions.users.get(question.user) ?? [];
  const named = [...world.rules.values()].filter(
    ({ spec }) => (spec.subjects.users ?? []).includes(question.user) || (spec.subjects.groups ?? []).some((group) => groups.includes(group)),
  );
  const considered = named.map((one) => ({ rule: one.metadata.name, ...why(one, question, cluster.metadata.labels ?? {}) }));
  const reads = ["get", "list", "watch"].includes(question.verb);
  const guarded = cluster.spec.protection === "read-only" && !reads;
  const by = considered.find((one) => one.allows);
  const allowed = by !== undefined && !guarded;
  const deciding = by && world.rules.get(by.rule);
  const answer: Schemas["AccessAnswer"] = {
    allowed, considered, rule: by?.rule ?? null, role: deciding?.spec.role ?? null, recorded: deciding?.spec.record ?? false, user: question.user, groups: [...groups, ...(deciding ? [`trunkline:${deciding.spec.role ?? "viewer"}s`] : [])],
    why: guarded
      ? `cluster ${question.cluster} is protected: read-only; nobody changes anything there until that is taken back`
      : allowed
        ? `rule ${by.rule} lets ${question.user} ${question.verb} ${question.resource}; the cluster's own RBAC is asked after that`
        : `no rule lets ${question.user} ${question.verb} ${question.resource} in ${question.cluster}; an admin adds one: trunkline access put`,
  };
  return json(answer);
}

function why({ spec }: Rule, question: Schemas["AccessQuestion"], labels: Record<string, string>): { allows: boolean; why: string } {
  const { names = [], selector } = spec.clusters ?? {};
  const here = names.includes(question.cluster) || (names.includes("*") && question.cluster !== "management") || (selector != null && labelTest(selector)(labels));
  if (!here) return { allows: false, why: `it is not for ${question.cluster}` };
  if (spec.namespaces?.length && !spec.namespaces.includes(question.namespace ?? "")) return { allows: false, why: `it is for the namespaces ${spec.namespaces.join(", ")} only` };
  if (spec.role === "custom" && !(spec.verbs ?? []).some((verb) => verb === "*" || verb === question.verb)) return { allows: false, why: `it has not the verb ${question.verb}` };
  if (spec.resources?.length && !spec.resources.includes(question.resource)) return { allows: false, why: `it is not for ${question.resource}` };
  if (!VERBS[spec.role ?? "custom"](question.verb, question.resource)) return { allows: false, why: `the role ${spec.role ?? ""} may not ${question.verb} ${question.resource}` };
  return { allows: true, why: "" };
}
