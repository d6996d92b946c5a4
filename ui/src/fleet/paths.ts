// Addresses of the pages here.

/** A cluster's own page among the managed clusters. */
export function clusterPath(name: string): string {
  return `/clusters/${encodeURIComponent(name)}`;
}

/** The page that goes on with a registration. */
export function registeringPath(name: string): string {
  return `/clusters/new?${new URLSearchParams({ cluster: name }).toString()}`;
}
