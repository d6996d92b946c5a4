// The frame around every page: where one is stands at the top, always: cluster, namespace, environment, protection.

import {
  Button, Dropdown, DropdownItem, DropdownList, Masthead, MastheadBrand, MastheadContent, MastheadLogo, MastheadMain, MastheadToggle,
  MenuToggle, Page, PageToggleButton, SkipToContent, ToggleGroup, ToggleGroupItem,
} from "@patternfly/react-core";
import { BarsIcon, KeyboardIcon, SearchIcon } from "@patternfly/react-icons";
import { Suspense, useEffect, useState } from "react";
import { Link, Outlet, useNavigate } from "react-router";
import { useFleet } from "../api/fleet.ts";
import { environmentLook, ProtectionLabel } from "../parts/cluster.tsx";
import { Loading } from "../parts/states.tsx";
import { ClusterSwitcher } from "./ClusterSwitcher.tsx";
import { KeyHelp } from "./KeyHelp.tsx";
import { listen, useKeys } from "./keys.ts";
import { LivePill } from "./LivePill.tsx";
import { NamespacePicker } from "./NamespacePicker.tsx";
import { Navigation } from "./Navigation.tsx";
import { Palette } from "./Palette.tsx";
import { useCluster } from "./place.ts";
import { useSession } from "./session.tsx";
import { useTheme, type Theme } from "./theme.ts";

export function Shell() {
  const own = useCluster();
  const { byName } = useFleet();
  const cluster = own === null ? undefined : byName.get(own);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  useEffect(() => listen(document), []);
  useKeys([
    { keys: "Mod+k", words: "Go to a cluster, page or kind", run: () => setPalette(true) },
    { keys: "?", words: "Keys", run: () => setHelp(true) },
  ]);
  return (
    <>
      <Page
        className="tl-page"
        data-environment={environmentLook(cluster?.spec.environment ?? "")}
        isManagedSidebar
        isContentFilled
        mainContainerId="content"
        skipToContent={<SkipToContent href="#content">Skip to content</SkipToContent>}
        masthead={<TopBar onPalette={() => setPalette(true)} onHelp={() => setHelp(true)} />}
        sidebar={<Navigation />}
      >
        {cluster !== undefined && <Frame environment={cluster.spec.environment ?? ""} name={cluster.metadata.name} />}
        <Suspense fallback={<Loading of="the page" />}><Outlet /></Suspense>
      </Page>
      {palette && <Palette onClose={() => setPalette(false)} />}
      {help && <KeyHelp onClose={() => setHelp(false)} />}
    </>
  );
}

/** A line under the top bar with the environment's colour and word; told by more than colour. */
function Frame({ environment, name }: { environment: string; name: string }) {
  const look = environmentLook(environment);
  if (look === "none") return null;
  return <div className="tl-frame" data-environment={look}>{environment}: {name}</div>;
}

function TopBar({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const own = useCluster();
  const { byName } = useFleet();
  const protection = own === null ? undefined : byName.get(own)?.spec.protection;
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton isHamburgerButton aria-label="Navigation" icon={<BarsIcon />} />
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo component={(props: object) => <Link {...props} to="/" />} aria-label="Trunkline: fleet overview">
            <span className="tl-brand">Trunkline</span>
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <div className="tl-bar">
          <LivePill />
          <span className="tl-bar-gap" />
          <Button variant="plain" icon={<SearchIcon />} onClick={onPalette} aria-label="Go to (Ctrl+K)" />
          <Button variant="plain" icon={<KeyboardIcon />} onClick={onHelp} aria-label="Keys" className="tl-wide" />
          {protection !== undefined && <span className="tl-wide"><ProtectionLabel protection={protection} /></span>}
          {own !== null && <NamespacePicker cluster={own} />}
          <ClusterSwitcher />
          <Who />
        </div>
      </MastheadContent>
    </Masthead>
  );
}

const THEMES: Theme[] = ["system", "light", "dark"];

function Who() {
  const { who, signOut } = useSession();
  const [open, setOpen] = useState(false);
  const [theme, setTheme] = useTheme();
  const navigate = useNavigate();
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      popperProps={{ position: "right" }}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)} aria-label={`You: ${who.user}`} className="tl-who">
          {who.user}
        </MenuToggle>
      )}
    >
      <ToggleGroup aria-label="Theme" isCompact className="tl-theme">
        {THEMES.map((one) => (
          <ToggleGroupItem key={one} text={one} isSelected={theme === one} onChange={() => setTheme(one)} />
        ))}
      </ToggleGroup>
      <DropdownList>
        <DropdownItem key="profile" onClick={() => { setOpen(false); void navigate("/profile"); }}>Profile and kubeconfig</DropdownItem>
        <DropdownItem key="out" onClick={signOut}>Sign out</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
