// Kubernetes' label selectors (meta.k8s.io/v1 LabelSelector): all of matchLabels and of matchExpressions must fit; an empty one
// fits everything. A label that is not there fits NotIn and DoesNotExist (apimachinery pkg/labels/selector.go, Requirement.Matches).

import { fields, list, text, texts } from "./read.ts";
import { SelectorError, type Labels, type Selector } from "./selector.ts";

/** What a label selector says; `prefix` is put before the names, for labels that are inherited. Throws SelectorError. */
export function labelSelector(value: unknown, prefix = ""): Selector {
  const uses = new Set<string>();
  const tests: ((labels: Labels) => boolean)[] = [];
  const label = (name: string) => {
    uses.add(prefix + name);
    return prefix + name;
  };
  for (const [name, wanted] of Object.entries(fields(fields(value)["matchLabels"]))) {
    const key = label(name);
    tests.push((labels) => labels.get(key) === text(wanted));
  }
  for (const one of list(fields(value)["matchExpressions"])) {
    const { key: name, operator, values } = fields(one);
    const key = label(text(name));
    const set = new Set<string | undefined>(texts(values));
    // An empty value may be asked for as well.
    if (list(values).includes("")) set.add("");
    tests.push(expression(text(operator), key, set));
  }
  return { test: (labels) => tests.every((test) => test(labels)), uses };
}

function expression(operator: string, key: string, values: Set<string | undefined>): (labels: Labels) => boolean {
  switch (operator) {
    case "In":
      return (labels) => values.has(labels.get(key));
    case "NotIn":
      return (labels) => !values.has(labels.get(key));
    case "Exists":
      return (labels) => labels.has(key);
    case "DoesNotExist":
      return (labels) => !labels.has(key);
    default:
      throw new SelectorError(`${operator || "an empty operator"} is no operator of label selectors`);
  }
}

/** A label selector as kubectl writes one; empty for one that fits everything. */
export function labelSelectorWords(value: unknown): string {
  const equal = Object.entries(fields(fields(value)["matchLabels"])).map(([name, wanted]) => `${name}=${text(wanted)}`);
  const others = list(fields(value)["matchExpressions"]).map((one) => {
    const { key, operator, values } = fields(one);
    const set = list(values).map(text).join(", ");
    if (operator === "Exists") return text(key);
    if (operator === "DoesNotExist") return `!${text(key)}`;
    return `${text(key)} ${operator === "NotIn" ? "not in" : operator === "In" ? "in" : text(operator)} (${set})`;
  });
  return [...equal, ...others].join(", ");
}
