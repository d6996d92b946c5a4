/** What the user may do in the cluster: all, but for what the control door denies. */
import { json, status, type Answer, type Asked, bodyOf } from "../door/answer.ts";
import { at, text } from "./object.ts";
import { qualified, type Resource } from "./resource.ts";

export interface Denial {
  /** A verb, or `*`. */
  verb: string;
  /** A resource as RBAC names it (`pods`, `pods/exec`, `deployments.apps`), or `*`. */
  resource: string;
  namespace?: string;
}

export class Rights {
  private denied: Denial[] = [];

  deny(denied: Denial[]): void {
    this.denied = denied;
  }

  may(verb: string, resource: string, namespace: string | undefined): boolean {
    return !this.denied.some(
      (denial) =>
        (denial.verb === "*" || denial.verb === verb) &&
        (denial.resource === "*" || denial.resource === resource) &&
        (denial.namespace === undefined || denial.namespace === namespace),
    );
  }

  /** RBAC's own no, if there is one. */
  check(user: string, verb: string, resource: Resource, sub: string, namespace: string | undefined, name: string): Answer | undefined {
    const what = sub === "" ? qualified(resource) : `${resource.plural}/${sub}`;
    if (this.may(verb, what, namespace)) return undefined;
    const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
    const plural = sub === "" ? resource.plural : `${resource.plural}/${sub}`;
    const message = `${qualified(resource)}${name === "" ? "" : ` "${name}"`} is forbidden: User "${user}" cannot ${verb} resource "${plural}" in API group "${resource.group}" ${where}`;
    return status(403, "Forbidden", message, { ...(name === "" ? {} : { name }), group: resource.group, kind: resource.plural });
  }

  review(asked: Asked): Answer {
    const review = bodyOf<Record<string, unknown>>(asked);
    const wants = at(review, "spec", "resourceAttributes");
    const group = text(at(wants, "group"));
    const resource = text(at(wants, "resource"));
    const sub = text(at(wants, "subresource"));
    const what = sub === "" ? qualified({ group, plural: resource }) : `${resource}/${sub}`;
    const allowed = this.may(text(at(wants, "verb")), what, text(at(wants, "namespace")) || undefined);
    return json({ ...review, kind: "SelfSubjectAccessReview", apiVersion: "authorization.k8s.io/v1", status: { allowed, reason: allowed ? 'RBAC: allowed by ClusterRoleBinding "trunkline-operators"' : "" } }, 201);
  }

  rules(asked: Asked): Answer {
    const verbs = ["get", "list", "watch", "create", "update", "patch", "delete"].filter((verb) => !this.denied.some((denial) => denial.resource === "*" && denial.verb === verb));
    return json(
      {
        ...bodyOf<object>(asked),
        kind: "SelfSubjectRulesReview",
        apiVersion: "authorization.k8s.io/v1",
        status: { resourceRules: [{ verbs, apiGroups: ["*"], resources: ["*"] }], nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["*"] }], incomplete: false },
      },
      201,
    );
  }
}
