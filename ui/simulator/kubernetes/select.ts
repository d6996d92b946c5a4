/** Label selectors and field selectors. */
import { at, text, type KubeObject } from "./object.ts";

type Test = (object: KubeObject) => boolean;

function splitOutsideParentheses(selector: string): string[] {
  return selector.split(/,(?![^(]*\))/).map((part) => part.trim()).filter((part) => part !== "");
}

export function labelTest(selector: string): (labels: Record<string, string>) => boolean {
  const tests = splitOutsideParentheses(selector).map((part): ((labels: Record<string, string>) => boolean) => {
    const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part);
    if (set) {
      const [, key = "", how, values = ""] = set;
      const among = new Set(values.split(",").map((value) => value.trim()));
      return (labels) => (labels[key] !== undefined && among.has(labels[key])) === (how === "in");
    }
    const differs = /^([^!=\s]+)\s*!=\s*(.*)$/.exec(part);
    if (differs) return (labels) => labels[differs[1] ?? ""] !== differs[2];
    const equals = /^([^!=\s]+)\s*==?\s*(.*)$/.exec(part);
    if (equals) return (labels) => labels[equals[1] ?? ""] === equals[2];
    if (part.startsWith("!")) return (labels) => labels[part.slice(1)] === undefined;
    return (labels) => labels[part] !== undefined;
  });
  return (labels) => tests.every((test) => test(labels));
}

export function fieldTest(selector: string): Test {
  const tests = selector.split(",").filter((part) => part !== "").map((part): Test => {
    const [, path = "", sign = "=", value = ""] = /^([^!=]+)(!?==?)(.*)$/.exec(part) ?? [];
    const steps = path.split(".");
    return (object) => (text(at(object, ...steps)) === value) === !sign.startsWith("!");
  });
  return (object) => tests.every((test) => test(object));
}

/** What a query selects, within a namespace if there is one. */
export function selection(query: URLSearchParams, namespace: string | undefined): Test {
  const labels = labelTest(query.get("labelSelector") ?? "");
  const fields = fieldTest(query.get("fieldSelector") ?? "");
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) && labels(object.metadata.labels ?? {}) && fields(object);
}
