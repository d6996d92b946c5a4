import type { Area } from "../app/pages.tsx";

export const settings: Area = { routes: [], entries: [] };
