// All pages: their addresses, and where the navigation shows them. Each area brings its own.

import type { RouteObject } from "react-router";
import { access } from "../access/pages.tsx";
import { cluster } from "../cluster/pages.tsx";
import { fleet } from "../fleet/pages.tsx";
import { logs } from "../logs/pages.tsx";
import { policies } from "../policies/pages.tsx";
import { settings } from "../settings/pages.tsx";

export interface Entry {
  title: string;
  /** In the section of the cluster, beneath `/c/<cluster>/`; else from the root. */
  to: string;
  section: "fleet" | "cluster";
  /** Where among the others. */
  order: number;
  /** `g p` */
  keys?: string;
}

export interface Area {
  routes: RouteObject[];
  entries: Entry[];
}

const areas: Area[] = [fleet, cluster, policies, logs, access, settings];

export const routes: RouteObject[] = areas.flatMap((area) => area.routes);

export function entries(section: Entry["section"]): Entry[] {
  return areas.flatMap((area) => area.entries).filter((entry) => entry.section === section).sort((a, b) => a.order - b.order);
}
