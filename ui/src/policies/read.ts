// Reading what came from a cluster: whatever stands in a field, what comes out has the shape that is asked for.

export type Fields = Record<string, unknown>;

export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

export function texts(value: unknown): string[] {
  return list(value).map(text).filter((one) => one !== "");
}

/** A number; null for what is none. */
export function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
