// The pages of one cluster, beneath /c/<cluster>/.

import type { Area } from "../app/pages.tsx";

export const cluster: Area = {
  routes: [
    { path: "/c/:cluster", lazy: () => import("./overview/Overview.tsx").then((m) => ({ Component: m.Overview })) },
    { path: "/c/:cluster/create", lazy: () => import("./CreatePage.tsx").then((m) => ({ Component: m.CreatePage })) },
    { path: "/c/:cluster/workloads", lazy: () => import("./workloads/WorkloadsPage.tsx").then((m) => ({ Component: m.WorkloadsPage })) },
    { path: "/c/:cluster/network/:kind?", lazy: () => import("./list/SectionPage.tsx").then((m) => ({ Component: m.NetworkPage })) },
    { path: "/c/:cluster/config/:kind?", lazy: () => import("./list/SectionPage.tsx").then((m) => ({ Component: m.ConfigPage })) },
    { path: "/c/:cluster/storage/:kind?", lazy: () => import("./list/SectionPage.tsx").then((m) => ({ Component: m.StoragePage })) },
    { path: "/c/:cluster/kinds", lazy: () => import("./list/KindsPage.tsx").then((m) => ({ Component: m.KindsPage })) },
    { path: "/c/:cluster/:group/:version/:resource", lazy: () => import("./list/ListPage.tsx").then((m) => ({ Component: m.ListPage })) },
    { path: "/c/:cluster/:group/:version/:resource/:namespace/:name/:tab?", lazy: () => import("./object/ObjectPage.tsx").then((m) => ({ Component: m.ObjectPage })) },
  ],
  entries: [
    { title: "Overview", to: "", section: "cluster", order: 0, keys: "g h" },
    { title: "Workloads", to: "/workloads", section: "cluster", order: 1, keys: "g w" },
    { title: "Pods", to: "/core/v1/pods", section: "cluster", order: 2, keys: "g p" },
    { title: "Network", to: "/network", section: "cluster", order: 3 },
    { title: "Config", to: "/config", section: "cluster", order: 5 },
    { title: "Storage", to: "/storage", section: "cluster", order: 6 },
    { title: "Nodes", to: "/core/v1/nodes", section: "cluster", order: 7 },
    { title: "Events", to: "/core/v1/events", section: "cluster", order: 8 },
    { title: "All kinds", to: "/kinds", section: "cluster", order: 9 },
  ],
};
