/** Merging a change into an object, and its leaves. */
import { at, isFields, text } from "./object.ts";

/** Lists whose items have names are merged by them, as strategic merge and apply do; null removes. */
export function merged(base: unknown, change: unknown): unknown {
  if (isFields(base) && isFields(change)) {
    const result = { ...base };
    for (const [key, value] of Object.entries(change)) {
      if (value === null) delete result[key];
      else result[key] = merged(base[key], value);
    }
    return result;
  }
  if (Array.isArray(base) && Array.isArray(change) && named(base) && named(change)) {
    const result: unknown[] = [...(base as unknown[])];
    for (const item of change as unknown[]) {
      const index = result.findIndex((one) => at(one, "name") === at(item, "name"));
      if (index < 0) result.push(item);
      else result[index] = merged(result[index], item);
    }
    return result;
  }
  return change;
}

function named(items: unknown[]): boolean {
  return items.length > 0 && items.every((item) => text(at(item, "name")) !== "");
}

/** Every field that has a value that is no object, by its path; without what the server keeps. */
export function leaves(object: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (value: unknown, path: string): void => {
    if (isFields(value)) {
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    } else if (Array.isArray(value) && named(value as unknown[])) {
      for (const item of value as unknown[]) walk(item, `${path}[name="${text(at(item, "name"))}"]`);
    } else {
      found.set(path, value);
    }
  };
  walk(object, "");
  for (const path of [...found.keys()]) if (/^\.(metadata\.(?!labels|annotations)|status|kind$|apiVersion$)/.test(path)) found.delete(path);
  return found;
}
