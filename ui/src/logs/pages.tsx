import type { Area } from "../app/pages.tsx";

export const logs: Area = { routes: [], entries: [] };
