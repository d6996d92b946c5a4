// Dark, light, or as the system is.

import { useEffect } from "react";
import { useKept } from "./kept.ts";

export type Theme = "system" | "light" | "dark";

export function useTheme(): [Theme, (theme: Theme) => void] {
  return useKept<Theme>("theme", "system");
}

/** Puts the theme on the page, and keeps it there as the system changes. */
export function useThemeOnPage(): void {
  const [theme] = useTheme();
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const put = () => {
      const dark = theme === "dark" || (theme === "system" && system.matches);
      document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
    };
    put();
    system.addEventListener("change", put);
    return () => system.removeEventListener("change", put);
  }, [theme]);
}
