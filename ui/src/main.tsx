// The Manager: one page in the browser, all of its state in the address, everything it knows from the gateway.

import "@patternfly/react-core/dist/styles/base.css";
import "@patternfly/patternfly/components/Table/table.css";
import "./look.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no root");
createRoot(root).render(<StrictMode><App /></StrictMode>);
