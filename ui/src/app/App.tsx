import { QueryClientProvider } from "@tanstack/react-query";
import { createBrowserRouter, isRouteErrorResponse, Link, RouterProvider, useRouteError } from "react-router";
import { queries } from "../api/tab.ts";
import { Failed, Nothing } from "../parts/states.tsx";
import { routes } from "./pages.tsx";
import { SessionGate } from "./session.tsx";
import { Shell } from "./Shell.tsx";
import { useThemeOnPage } from "./theme.ts";

const router = createBrowserRouter(
  [
    {
      element: <SessionGate><Shell /></SessionGate>,
      children: [
        // A page that breaks leaves the frame around it whole.
        { errorElement: <Broken />, children: [...routes, { path: "*", element: <NoPage /> }] },
      ],
    },
  ],
  { basename: "/ui" },
);

export function App() {
  useThemeOnPage();
  return (
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}

function NoPage() {
  return (
    <Nothing title="There is no such page" action={<Link to="/">Fleet overview</Link>}>
      The address leads nowhere here.
    </Nothing>
  );
}

function Broken() {
  const error = useRouteError();
  const told = isRouteErrorResponse(error) ? new Error(error.statusText) : error;
  return <Failed error={told} onRetry={() => location.reload()} />;
}
