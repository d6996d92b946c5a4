import type { Area } from "../app/pages.tsx";

export const policies: Area = {
  routes: [
    { path: "/c/:cluster/policies", lazy: () => import("./Policies.tsx").then((m) => ({ Component: m.Policies })) },
    { path: "/c/:cluster/policies/:kind/:scope/:name", lazy: () => import("./PolicyPage.tsx").then((m) => ({ Component: m.PolicyPage })) },
    { path: "/policies/compare", lazy: () => import("./Compare.tsx").then((m) => ({ Component: m.Compare })) },
  ],
  entries: [
    { title: "Policies", to: "/policies", section: "cluster", order: 4, keys: "g y" },
    { title: "Compare policies", to: "/policies/compare", section: "fleet", order: 3 },
  ],
};
