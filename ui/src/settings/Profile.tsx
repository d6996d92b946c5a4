// Oneself: who one is here, how to get a kubeconfig, what this browser remembers.

import {
  Button, ClipboardCopy, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, Label, LabelGroup, PageSection, Switch, ToggleGroup,
  ToggleGroupItem,
} from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useFleet } from "../api/fleet.ts";
import { switchKeys, useKeysOn } from "../app/keys.ts";
import { useSession } from "../app/session.tsx";
import { useTheme, type Theme } from "../app/theme.ts";
import { Head } from "../parts/Head.tsx";
import { count } from "../parts/numbers.ts";
import { Age } from "../parts/time.tsx";

const THEMES: Theme[] = ["system", "light", "dark"];

export function Profile() {
  const { who, signOut } = useSession();
  const { all } = useFleet();
  const [theme, setTheme] = useTheme();
  const keys = useKeysOn();
  const here = location.origin;
  return (
    <>
      <Head title="Profile" actions={<Button variant="secondary" onClick={signOut}>Sign out</Button>} />
      <PageSection hasBodyWrapper={false}>
        <DescriptionList isHorizontal>
          <Term title="User">{who.user}</Term>
          <Term title="Signed in by">{who.how}</Term>
          <Term title="Groups">
            {who.groups.length === 0 ? "none" : <LabelGroup numLabels={10}>{who.groups.map((group) => <Label key={group} isCompact>{group}</Label>)}</LabelGroup>}
          </Term>
          <Term title="Session"><code>{who.session}</code>, <Link to="/sessions">all sessions</Link></Term>
          {who.expires !== null && who.expires !== undefined && <Term title="Ends"><time dateTime={who.expires}>{new Date(who.expires).toLocaleString()}</time></Term>}
          <Term title="Clusters">{count(all.length)}, the newest seen <Age of={newest(all.map(({ status }) => status.lastSeen))} ago /></Term>
          <Term title="kubectl">
            <p>No secret is in the file that these write; a token is got when it is needed.</p>
            <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied">{`trunkline login ${here}`}</ClipboardCopy>
            <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied">trunkline kubeconfig --all</ClipboardCopy>
          </Term>
          <Term title="Theme">
            <ToggleGroup aria-label="Theme">
              {THEMES.map((one) => <ToggleGroupItem key={one} text={one} isSelected={theme === one} onChange={() => setTheme(one)} />)}
            </ToggleGroup>
          </Term>
          <Term title="Single keys"><Switch aria-label="Single keys" label="Letters without Ctrl do something; ? lists them" isChecked={keys} onChange={(_, on) => switchKeys(on)} /></Term>
        </DescriptionList>
      </PageSection>
    </>
  );
}

function Term({ title, children }: { title: string; children: ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{title}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}

function newest(times: (string | null | undefined)[]): string | null {
  return times.reduce<string | null>((last, time) => (time !== null && time !== undefined && (last === null || time > last) ? time : last), null);
}
