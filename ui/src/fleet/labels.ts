// Labels as people type them: `env=prod,region=eu`, and `env-` to take one away. Kubernetes' own rules, as the gateway's.

/** What is to be changed; null takes a label away. */
export type LabelChange = Record<string, string | null>;

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

export function isKey(key: string): boolean {
  const at = key.indexOf("/");
  if (at < 0) return NAME.test(key);
  const domain = key.slice(0, at);
  return domain.length <= 253 && DOMAIN.test(domain) && NAME.test(key.slice(at + 1));
}

export function isValue(value: string): boolean {
  return value === "" || NAME.test(value);
}

/** What was typed, or what is wrong with it. `taking` allows `key-`. */
export function typedLabels(text: string, taking = false): { labels: LabelChange } | { wrong: string } {
  const labels: LabelChange = {};
  for (const typed of text.split(/[,\s]+/).filter((part) => part !== "")) {
    const at = typed.indexOf("=");
    const away = at < 0 && typed.endsWith("-");
    const key = at >= 0 ? typed.slice(0, at) : away ? typed.slice(0, -1) : typed;
    const value = at >= 0 ? typed.slice(at + 1) : null;
    if (at < 0 && !(away && taking)) {
      return { wrong: taking ? `“${typed}” is neither key=value nor key-` : `“${typed}” is not key=value` };
    }
    if (!isKey(key)) return { wrong: `“${key}” is no key: [domain/]name, the name up to 63 of letters, digits, “-”, “_” and “.”` };
    if (value !== null && !isValue(value)) return { wrong: `“${value}” is no value: up to 63 of letters, digits, “-”, “_” and “.”` };
    if (Object.hasOwn(labels, key)) return { wrong: `${key} is given twice` };
    labels[key] = value;
  }
  return { labels };
}

/** Labels as they are typed. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).join(",");
}

/** What turns one set of labels into another. */
export function labelChange(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): LabelChange {
  const change: LabelChange = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) change[key] = null;
  for (const [key, value] of Object.entries(after)) if (before[key] !== value) change[key] = value;
  return change;
}
