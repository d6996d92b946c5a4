import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` shows the pages of this folder in front of a gateway (or of the simulator): GATEWAY=https://localhost:8443.
const gateway = process.env["GATEWAY"] ?? "https://localhost:8443";

export default defineConfig({
  base: "/ui/",
  plugins: [react()],
  build: {
    target: "es2022",
    // The folder is there in every checkout, so that cargo sees it change; build/clear.mjs empties it.
    emptyOutDir: false,
    // Everything is a file of its own: the content security policy knows no data: URLs but for pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: { "/trunkline": { target: gateway, secure: false, ws: true } },
  },
  test: {
    css: false,
    // A machine may be busy; what hangs is noticed nevertheless.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: "pages", environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/testing/setup.ts"] } },
      { extends: true, test: { name: "simulator", environment: "node", include: ["simulator/**/*.test.ts"] } },
    ],
  },
});
