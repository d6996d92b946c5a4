// The fleet in a row of numbers, each of which leads to the clusters that it counts.

import {
  CertificateIcon, CheckCircleIcon, ClockIcon, DisconnectedIcon, ExclamationCircleIcon, ExclamationTriangleIcon, InProgressIcon, LockIcon, OutlinedFileAltIcon, SyncAltIcon,
} from "@patternfly/react-icons";
import { useMemo, type ComponentType } from "react";
import { Link } from "react-router";
import { count } from "../parts/numbers.ts";
import { span, useNow } from "../parts/time.tsx";
import { behindMs, type FleetLogs } from "./logs.ts";
import { counts, type ClusterRow, type StatusWord } from "./rows.ts";
import { LAG_MS } from "./signs.ts";

type Look = "good" | "info" | "warning" | "danger" | "quiet";

interface TileOf {
  word: StatusWord;
  title: string;
  icon: ComponentType;
  /** How it looks when there is one. */
  look: Look;
  /** Whether it is there when there is none. */
  always: boolean;
}

const TILES: TileOf[] = [
  { word: "connected", title: "connected", icon: CheckCircleIcon, look: "good", always: true },
  { word: "degraded", title: "degraded", icon: ExclamationTriangleIcon, look: "warning", always: true },
  { word: "disconnected", title: "disconnected", icon: DisconnectedIcon, look: "danger", always: true },
  { word: "duplicate-identity", title: "duplicate identity", icon: ExclamationCircleIcon, look: "danger", always: false },
  { word: "joining", title: "joining", icon: InProgressIcon, look: "info", always: true },
  { word: "locked", title: "locked", icon: LockIcon, look: "info", always: true },
  { word: "update", title: "agents to update", icon: SyncAltIcon, look: "info", always: true },
  { word: "certificate", title: "certificates to look at", icon: CertificateIcon, look: "warning", always: true },
];

export function Tiles({ rows, logs }: { rows: ClusterRow[]; logs: FleetLogs }) {
  const all = useMemo(() => counts(rows), [rows]);
  const shown = TILES.filter(({ word, always }) => always || all[word] > 0);
  return (
    <ul className="tl-tiles" aria-label="Clusters by state">
      {shown.map(({ word, title, icon, look }) => (
        <Tile key={word} to={`/clusters?status=${word}`} number={count(all[word])} title={title} icon={icon} look={all[word] === 0 ? "quiet" : look} />
      ))}
      {logs.kept === true && <LogTiles rows={rows} lost={all.lost} />}
    </ul>
  );
}

function LogTiles({ rows, lost }: { rows: ClusterRow[]; lost: number }) {
  const now = useNow();
  let worst: { name: string; behind: number } | null = null;
  let records = 0;
  for (const { name, log } of rows) {
    if (log === undefined) continue;
    records += log.lost + log.deadLetters;
    const behind = behindMs(log, now);
    if (behind !== null && (worst === null || behind > worst.behind)) worst = { name, behind };
  }
  return (
    <>
      <Tile
        to="/clusters?sort=-lag"
        number={worst === null ? "–" : worst.behind < 1_000 ? "< 1 s" : span(worst.behind)}
        title={worst === null ? "log lag: nothing has come" : `log lag, ${worst.name}`}
        icon={ClockIcon}
        look={worst !== null && worst.behind > LAG_MS ? "warning" : "quiet"}
      />
      <Tile
        to={lost === 0 ? "/clusters?sort=-lag" : "/clusters?status=lost"}
        number={count(records)}
        title={lost === 0 ? "log records lost" : `log records lost, ${lost === 1 ? "1 cluster" : `${count(lost)} clusters`}`}
        icon={OutlinedFileAltIcon}
        look={records > 0 ? "danger" : "quiet"}
      />
    </>
  );
}

function Tile({ to, number, title, icon: Icon, look }: { to: string; number: string; title: string; icon: ComponentType; look: Look }) {
  return (
    <li>
      <Link to={to} className="tl-tile" data-look={look}>
        <span className="tl-tile-number"><Icon /> {number}</span>
        <span className="tl-tile-title">{title}</span>
      </Link>
    </li>
  );
}
