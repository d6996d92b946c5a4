// The gateway itself: its addresses and version, its certificates, who signs in how, its store of logs. What is set in its
// file is shown and changed there.

import { PageSection, Tab, Tabs, TabTitleText } from "@patternfly/react-core";
import type { ComponentType } from "react";
import { useNavigate, useParams } from "react-router";
import { Head } from "../parts/Head.tsx";
import { Gateway } from "./Gateway.tsx";
import { LogStore } from "./LogStore.tsx";
import { Papers } from "./Papers.tsx";
import { SignIns } from "./SignIns.tsx";

const SECTIONS: { key: string; title: string; show: ComponentType }[] = [
  { key: "gateway", title: "Gateway", show: Gateway },
  { key: "certificates", title: "Certificates", show: Papers },
  { key: "sign-in", title: "Sign-in", show: SignIns },
  { key: "logs", title: "Log store", show: LogStore },
];

export function Settings() {
  const section = useParams()["section"] ?? "gateway";
  const navigate = useNavigate();
  return (
    <>
      <Head title="Settings" about="What is set in the gateway's file is shown here and changed there." />
      <PageSection hasBodyWrapper={false}>
        <Tabs activeKey={section} mountOnEnter unmountOnExit onSelect={(_, key) => void navigate(`/settings/${key}`)} aria-label="Settings">
          {SECTIONS.map(({ key, title, show: Show }) => (
            <Tab key={key} eventKey={key} title={<TabTitleText>{title}</TabTitleText>}><Show /></Tab>
          ))}
        </Tabs>
      </PageSection>
    </>
  );
}
