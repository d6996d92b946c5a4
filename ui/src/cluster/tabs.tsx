// Tabs of an object's page that other areas bring: logs and terminals. Each comes when it is looked at.

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
  /** What the tab does, to be checked before it is offered. */
  needs: { verb: string; resource: string };
  Content: LazyExoticComponent<ComponentType<Shown>>;
}

const Logs = lazy(async () => {
  const { PodLogs } = await import("../logs/PodLogs.tsx");
  const LogsOf = ({ cluster, of, namespace, name }: Shown) => (
    <PodLogs cluster={cluster} namespace={namespace} {...(isPods(of) ? { pod: name } : { workload: { ...of, name } })} />
  );
  return { default: LogsOf };
});

const Shell = lazy(async () => {
  const { Terminal } = await import("../logs/Terminal.tsx");
  return { default: ({ cluster, namespace, name }: Shown) => <Terminal cluster={cluster} namespace={namespace} pod={name} /> };
});

const TABS: ObjectTab[] = [
  { key: "logs", title: "Logs", letter: "l", fits: (of) => isPods(of) || isWorkload(of), needs: { verb: "get", resource: "pods/log" }, Content: Logs },
  { key: "shell", title: "Shell", letter: "s", fits: isPods, needs: { verb: "create", resource: "pods/exec" }, Content: Shell },
];

/** The tabs that an object of a kind has from other areas. */
export function tabsFor(of: Named): ObjectTab[] {
  return TABS.filter(({ fits }) => fits(of));
}
