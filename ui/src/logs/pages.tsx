import type { Area } from "../app/pages.tsx";

const search = () => import("./search/LogSearch.tsx").then((m) => ({ Component: m.LogSearch }));

export const logs: Area = {
  routes: [
    { path: "/logs", lazy: search },
    { path: "/c/:cluster/logs", lazy: search },
    { path: "/c/:cluster/podlogs", lazy: () => import("./pod/PodLogsPage.tsx").then((m) => ({ Component: m.PodLogsPage })) },
    { path: "/c/:cluster/shell", lazy: () => import("./terminal/ShellPage.tsx").then((m) => ({ Component: m.ShellPage })) },
  ],
  entries: [
    { title: "Logs", to: "/logs", section: "fleet", order: 2, keys: "g l" },
    { title: "Logs", to: "/logs", section: "cluster", order: 10 },
  ],
};
