import type { Area } from "../app/pages.tsx";

export const fleet: Area = { routes: [], entries: [] };
