import type { Area } from "../app/pages.tsx";

export const access: Area = {
  routes: [
    { path: "sessions", lazy: () => import("./Sessions.tsx").then(({ Sessions }) => ({ Component: Sessions })) },
    { path: "audit", lazy: () => import("./Audit.tsx").then(({ Audit }) => ({ Component: Audit })) },
    { path: "access", lazy: () => import("./Rules.tsx").then(({ Rules }) => ({ Component: Rules })) },
    { path: "access/rules/:rule", lazy: () => import("./RulePage.tsx").then(({ RulePage }) => ({ Component: RulePage })) },
    { path: "access/test", lazy: () => import("./Test.tsx").then(({ Test }) => ({ Component: Test })) },
  ],
  entries: [
    { title: "Sessions", to: "/sessions", section: "fleet", order: 5, keys: "g s" },
    { title: "Audit", to: "/audit", section: "fleet", order: 6, keys: "g a" },
    { title: "Access", to: "/access", section: "fleet", order: 7 },
  ],
};
