import type { Area } from "../app/pages.tsx";

export const cluster: Area = { routes: [], entries: [] };
