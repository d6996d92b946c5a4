import type { Area } from "../app/pages.tsx";

export const policies: Area = { routes: [], entries: [] };
