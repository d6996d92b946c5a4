import type { Area } from "../app/pages.tsx";

export const settings: Area = {
  routes: [
    { path: "settings/:section?", lazy: () => import("./Settings.tsx").then(({ Settings }) => ({ Component: Settings })) },
    { path: "profile", lazy: () => import("./Profile.tsx").then(({ Profile }) => ({ Component: Profile })) },
  ],
  entries: [{ title: "Settings", to: "/settings", section: "fleet", order: 8 }],
};
