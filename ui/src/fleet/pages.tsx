import type { Area } from "../app/pages.tsx";

export const fleet: Area = {
  routes: [
    { index: true, lazy: () => import("./Overview.tsx").then((m) => ({ Component: m.Overview })) },
    { path: "clusters", lazy: () => import("./Clusters.tsx").then((m) => ({ Component: m.Clusters })) },
    { path: "clusters/new", lazy: () => import("./Register.tsx").then((m) => ({ Component: m.Register })) },
    { path: "clusters/:name", lazy: () => import("./ClusterPage.tsx").then((m) => ({ Component: m.ClusterPage })) },
  ],
  entries: [
    { title: "Overview", to: "/", section: "fleet", order: 0, keys: "g o" },
    { title: "Clusters", to: "/clusters", section: "fleet", order: 1, keys: "g m" },
  ],
};
