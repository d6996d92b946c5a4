// Tabs of an object's page that other areas bring: logs and terminals. One that is not built is not there.

import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import { isPods, isWorkload, type Named } from "./places.ts";

export interface Shown {
  cluster: string;
  of: Named;
  namespace: string;
  name: string;
}

export interface ObjectTab {
  key: string;
  title: string;
  /** The key on a row, and on the object's page. */
  letter: string;
  fits: (of: Named) => boolean;
  /** What the tab does beyond reading, to be checked before it is offered. */
  needs: { verb: string; resource: string };
  Content: LazyExoticComponent<ComponentType<Shown>>;
}

interface PodLogsProps {
  cluster: string;
  namespace: string;
  pod?: string;
  workload?: { group: string; version: string; resource: string; name: string };
}

interface TerminalProps {
  cluster: string;
  namespace: string;
  pod: string;
}

type Parts = Record<string, ComponentType<never>>;
const parts = import.meta.glob<Parts>(["../logs/PodLogs.tsx", "../logs/Terminal.tsx"]);

function part<P>(path: string, name: string, own: (shown: Shown) => P): ObjectTab["Content"] | null {
  const load = parts[path];
  if (load === undefined) return null;
  return lazy(async () => {
    const Part = (await load())[name] as unknown as ComponentType<P & object> | undefined;
    if (Part === undefined) throw new Error(`${path} has no ${name}`);
    return { default: (shown: Shown) => <Part {...(own(shown) as P & object)} /> };
  });
}

const logs = part<PodLogsProps>("../logs/PodLogs.tsx", "PodLogs", ({ cluster, of, namespace, name }) => ({
  cluster, namespace, ...(isPods(of) ? { pod: name } : { workload: { group: of.group, version: of.version, resource: of.resource, name } }),
}));
const shell = part<TerminalProps>("../logs/Terminal.tsx", "Terminal", ({ cluster, namespace, name }) => ({ cluster, namespace, pod: name }));

export const contributed: ObjectTab[] = [
  ...(logs === null ? [] : [{
    key: "logs", title: "Logs", letter: "l", fits: (of: Named) => isPods(of) || isWorkload(of), needs: { verb: "get", resource: "pods/log" }, Content: logs,
  }]),
  ...(shell === null ? [] : [{
    key: "shell", title: "Shell", letter: "s", fits: isPods, needs: { verb: "create", resource: "pods/exec" }, Content: shell,
  }]),
];

/** The tabs that an object of a kind has from other areas. */
export function tabsFor(of: Named): ObjectTab[] {
  return contributed.filter(({ fits }) => fits(of));
}
