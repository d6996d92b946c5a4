import type { Area } from "../app/pages.tsx";

export const access: Area = { routes: [], entries: [] };
