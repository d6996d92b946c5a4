// The cluster drop-down at the right of the top bar. Choosing one keeps the page and changes the cluster of all it shows.
//
// A combobox over a virtual list (WAI-ARIA combobox with a listbox): five thousand clusters cost what twenty do.

import { Button, TextInputGroup, TextInputGroupMain } from "@patternfly/react-core";
import { CaretDownIcon, SearchIcon, ThumbtackIcon } from "@patternfly/react-icons";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useLocation, useNavigate } from "react-router";
import { titleOf, useFleet, type Cluster } from "../api/fleet.ts";
import { EnvironmentLabel, environmentLook, StateDot, stateWords } from "../parts/cluster.tsx";
import { Age } from "../parts/time.tsx";
import { useKeys } from "./keys.ts";
import { noteRecent, useKept } from "./kept.ts";
import { sameIn, useCluster, useCurrentCluster } from "./place.ts";
import { arrange, labelKeys, search } from "./search.ts";

export function ClusterSwitcher() {
  const [open, setOpen] = useState(false);
  const toggle = useRef<HTMLButtonElement>(null);
  const { byName } = useFleet();
  const current = useCurrentCluster();
  const [, setCurrent] = useKept("current", current);
  const own = useCluster();
  const cluster = byName.get(current);
  useKeys([{ keys: "g c", words: "Switch cluster", run: () => setOpen(true) }]);
  useEffect(() => {
    if (own === null || !byName.has(own)) return;
    noteRecent(own);
    setCurrent(own);
    // Only where one is matters, not that the fleet changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [own, byName.has(own ?? "")]);
  const close = () => {
    setOpen(false);
    toggle.current?.focus();
  };
  return (
    <div className="tl-switcher">
      <button
        ref={toggle}
        type="button"
        className="tl-switcher-toggle pf-v6-c-menu-toggle"
        aria-expanded={open}
        aria-haspopup="dialog"
        data-environment={environmentLook(cluster?.spec.environment ?? "")}
        onClick={() => setOpen(!open)}
      >
        <span className="pf-v6-screen-reader">Cluster: </span>
        {cluster !== undefined && <StateDot cluster={cluster} />}
        <span className="tl-switcher-name">{cluster === undefined ? current : titleOf(cluster)}</span>
        {cluster !== undefined && <EnvironmentLabel environment={cluster.spec.environment ?? ""} />}
        <CaretDownIcon />
      </button>
      {open && <Chooser current={current} onClose={close} />}
    </div>
  );
}

type Item = { heading: string } | { cluster: Cluster; key: string };

export function Chooser({ current, onClose }: { current: string; onClose: () => void }) {
  const { all, synced } = useFleet();
  const [text, setText] = useState("");
  const asked = useDeferredValue(text);
  const [pinned, setPinned] = useKept<string[]>("pinned", []);
  const [recent] = useKept<string[]>("recent", []);
  const [label, setLabel] = useKept("groupBy", "");
  const [chosen, setChosen] = useState<string | null>(null);
  // Enter came before the clusters did: it holds for what fits when they are there.
  const [early, setEarly] = useState(false);
  const location = useLocation();
  const navigate = useNavigate();
  const box = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const find = useRef<HTMLInputElement>(null);
  const id = useId();

  const items = useMemo<Item[]>(() => {
    if (asked.trim() !== "") return search(all, asked).map((cluster) => ({ cluster, key: `found/${cluster.metadata.name}` }));
    return arrange(all, pinned, recent, label).flatMap(({ title, clusters }) => [
      ...(title === "" ? [] : [{ heading: title }]),
      ...clusters.map((cluster) => ({ cluster, key: `${title}/${cluster.metadata.name}` })),
    ]);
  }, [all, asked, pinned, recent, label]);
  const options = useMemo(() => items.flatMap((item, index) => ("cluster" in item ? [{ ...item, index }] : [])), [items]);
  const active = options.find(({ key }) => key === chosen) ?? options[0];

  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => 40,
    overscan: 6,
    initialRect: { width: 400, height: 400 },
  });

  useEffect(() => find.current?.focus(), []);
  useEffect(() => {
    const away = (event: PointerEvent) => {
      if (event.target instanceof Node && frame.current?.parentElement?.contains(event.target) === false) onClose();
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [onClose]);

  const go = (cluster: Cluster) => {
    onClose();
    void navigate(sameIn(location.pathname, location.search, cluster.metadata.name));
  };
  const openFirst = () => {
    // What is typed decides, and not a list that has not caught up with it.
    const first = text === asked ? active?.cluster : search(all, text)[0];
    if (first !== undefined) go(first);
    return first !== undefined;
  };
  useEffect(() => {
    if (!early || !synced) return;
    setEarly(false);
    openFirst();
    // Once, when they have come.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [early, synced]);
  const onKey = (event: KeyboardEvent) => {
    const at = options.findIndex(({ key }) => key === active?.key);
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10 };
    const step = steps[event.key];
    if (event.key === "Escape") onClose();
    else if (event.key === "Enter") setEarly(!openFirst() && !synced);
    else if (step !== undefined) {
      const to = options[Math.max(0, Math.min(step, options.length - 1))];
      if (to !== undefined) {
        setChosen(to.key);
        virtual.scrollToIndex(to.index);
      }
    } else return;
    event.preventDefault();
  };
  const pin = (name: string) =>
    setPinned(pinned.includes(name) ? pinned.filter((one) => one !== name) : [...pinned, name]);

  return (
    <div className="tl-chooser" ref={frame} role="dialog" aria-label="Choose a cluster" onKeyDown={onKey}>
      <TextInputGroup>
        <TextInputGroupMain
          ref={find}
          icon={<SearchIcon />}
          value={text}
          placeholder="Name, label, environment, version"
          aria-label="Find a cluster"
          role="combobox"
          isExpanded
          aria-controls={`${id}-list`}
          {...(active === undefined ? {} : { "aria-activedescendant": `${id}-${active.index}` })}
          onChange={(_, value) => {
            setText(value);
            setChosen(null);
            setEarly(false);
          }}
        />
      </TextInputGroup>
      <label className="tl-group-by">
        Group by{" "}
        <select value={label} onChange={(event) => setLabel(event.target.value)}>
          <option value="">nothing</option>
          {labelKeys(all).map((key) => <option key={key}>{key}</option>)}
        </select>
      </label>
      <div className="tl-chooser-list" ref={box} role="listbox" id={`${id}-list`} aria-label="Clusters" tabIndex={-1}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }} role="presentation">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const item = items[index] as Item;
            const style = { transform: `translateY(${start}px)` };
            if ("heading" in item) {
              return <div key={`heading ${item.heading}`} className="tl-chooser-heading" role="presentation" style={style}>{item.heading}</div>;
            }
            const { cluster } = item;
            const name = cluster.metadata.name;
            return (
              <div
                key={item.key}
                id={`${id}-${index}`}
                role="option"
                aria-selected={item.key === active?.key}
                aria-label={`${titleOf(cluster)}, ${stateWords(cluster.status.state)}${name === current ? ", current" : ""}`}
                className="tl-chooser-option"
                data-current={name === current}
                style={style}
                onClick={() => go(cluster)}
              >
                <StateDot cluster={cluster} />
                <span className="tl-chooser-name">
                  {titleOf(cluster)}
                  {titleOf(cluster) !== name && <small> {name}</small>}
                </span>
                {cluster.status.state === "disconnected" && <small>seen <Age of={cluster.status.lastSeen} ago /></small>}
                <EnvironmentLabel environment={cluster.spec.environment ?? ""} />
                <Button
                  variant="plain"
                  size="sm"
                  tabIndex={-1}
                  aria-hidden
                  className={pinned.includes(name) ? "tl-pin tl-pinned" : "tl-pin"}
                  icon={<ThumbtackIcon />}
                  onClick={(event) => {
                    event.stopPropagation();
                    pin(name);
                  }}
                />
              </div>
            );
          })}
        </div>
      </div>
      <p className="tl-chooser-foot" role="status">
        {!synced ? `The clusters are on their way${early ? "; the first that fits opens then" : ""}.` : options.length === 0 ? "No cluster fits." : `${options.length} shown. Enter opens.`}{" "}
        {active !== undefined && (
          <Button variant="link" isInline onClick={() => pin(active.cluster.metadata.name)}>
            {pinned.includes(active.cluster.metadata.name) ? "Unpin" : "Pin"} {titleOf(active.cluster)}
          </Button>
        )}
      </p>
    </div>
  );
}
