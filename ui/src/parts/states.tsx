// The states that every page has beside its own: nothing yet, nothing at all, not allowed, not fresh, not there, wrong.
// Each has a next step. Nothing is shown for the first 300 ms, and after 5 s it is said what is waited for.

import {
  Alert, AlertActionLink, Bullseye, Button, ClipboardCopy, ClipboardCopyVariant, EmptyState, EmptyStateActions, EmptyStateBody,
  EmptyStateFooter, Skeleton, Spinner,
} from "@patternfly/react-core";
import { BanIcon, DisconnectedIcon, ExclamationCircleIcon, LockIcon, SearchIcon } from "@patternfly/react-icons";
import { useEffect, useState, type ComponentType, type ReactNode } from "react";
import { Link } from "react-router";
import { asFault, type Fault, type Hop } from "../api/fault.ts";
import { useReturn } from "../api/fleet.ts";
import { Age } from "./time.tsx";

/** Whether so much time has passed since the component came. */
function usePassed(ms: number): boolean {
  const [passed, pass] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => pass(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return passed;
}

/** Something is on its way. `of` says what, in the words of a sentence: `the pods of prod-eu`. */
export function Loading({ of, onCancel }: { of: string; onCancel?: () => void }) {
  const shown = usePassed(300);
  const slow = usePassed(5_000);
  const verySlow = usePassed(10_000);
  if (!shown) return null;
  if (!slow) return <Skeleton screenreaderText={`Loading ${of}`} height="8rem" />;
  return (
    <Bullseye>
      <EmptyState titleText={`Still waiting for ${of}`} headingLevel="h2" icon={Spinner}>
        <EmptyStateBody>The gateway is reached; its answer takes long. The cluster may be slow or far away.</EmptyStateBody>
        {verySlow && onCancel !== undefined && (
          <EmptyStateFooter>
            <Button variant="secondary" onClick={onCancel}>Cancel</Button>
          </EmptyStateFooter>
        )}
      </EmptyState>
    </Bullseye>
  );
}

interface NothingProps {
  title: string;
  children?: ReactNode;
  /** The next step. */
  action?: ReactNode;
  icon?: ComponentType;
}

/** There is nothing, and what to do about that. */
export function Nothing({ title, children, action, icon }: NothingProps) {
  return (
    <EmptyState titleText={title} headingLevel="h2" variant="sm" {...(icon ? { icon } : {})}>
      {children !== undefined && <EmptyStateBody>{children}</EmptyStateBody>}
      {action !== undefined && (
        <EmptyStateFooter>
          <EmptyStateActions>{action}</EmptyStateActions>
        </EmptyStateFooter>
      )}
    </EmptyState>
  );
}

/** A filter hides all that there is. */
export function AllHidden({ hidden, onClear }: { hidden: number; onClear: () => void }) {
  return (
    <Nothing
      title="Nothing fits the filter"
      icon={SearchIcon}
      action={<Button variant="link" onClick={onClear}>Clear filter</Button>}
    >
      {hidden === 1 ? "1 is hidden." : `${hidden} are hidden.`}
    </Nothing>
  );
}

const HOPS: { hop: Hop; words: string }[] = [
  { hop: "browser", words: "this browser" },
  { hop: "gateway", words: "gateway" },
  { hop: "tunnel", words: "tunnel" },
  { hop: "cluster", words: "cluster" },
];

/** Where on the way it went wrong, as text that reads from left to right. */
function Way({ to }: { to: Hop }) {
  const at = HOPS.findIndex(({ hop }) => hop === to);
  return (
    <ol className="tl-way" aria-label="the way to the cluster">
      {HOPS.map(({ hop, words }, index) => (
        <li key={hop} data-state={index < at ? "passed" : index === at ? "failed" : "beyond"}>
          {words}
          <span className="pf-v6-screen-reader">{index < at ? " was passed" : index === at ? " failed" : " was not reached"}</span>
        </li>
      ))}
    </ol>
  );
}

const TITLES: Record<string, [string, ComponentType]> = {
  ClusterDisconnected: ["The cluster is not connected", DisconnectedIcon],
  ClusterLocked: ["The cluster is locked", LockIcon],
  ClusterNotFound: ["There is no such cluster", SearchIcon],
  AccessDenied: ["You may not do this here", BanIcon],
  Forbidden: ["You may not see this", BanIcon],
  NotFound: ["It is not there", SearchIcon],
  GatewayUnreachable: ["The gateway is not reached", DisconnectedIcon],
  TooManyRequests: ["Too much at once", ExclamationCircleIcon],
};

/** What went wrong in place of a page or a part of it. */
export function Failed({ error, cluster, onRetry }: { error: unknown; cluster?: string; onRetry?: () => void }) {
  const fault = asFault(error);
  useReturn(cluster ?? "", () => {
    if (fault.reason === "ClusterDisconnected") onRetry?.();
  });
  const [title, icon] = TITLES[fault.reason] ?? ["This did not work", ExclamationCircleIcon];
  return (
    <EmptyState titleText={title} headingLevel="h2" variant="sm" status="danger" icon={icon}>
      <EmptyStateBody>
        <p role="alert">{fault.detail}</p>
        <Way to={fault.hop} />
      </EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          {onRetry !== undefined && <Retry fault={fault} onRetry={onRetry} />}
          {fault.reason === "ClusterNotFound" && <Link to="/clusters">Managed clusters</Link>}
          {cluster !== undefined && fault.reason !== "ClusterNotFound" && <Link to={`/clusters/${cluster}`}>Troubleshoot {cluster}</Link>}
          {(fault.reason === "AccessDenied" || fault.reason === "Forbidden") && cluster !== undefined && (
            <Link to={`/access/test?cluster=${encodeURIComponent(cluster)}`}>Why can't I?</Link>
          )}
        </EmptyStateActions>
        <ClipboardCopy isReadOnly isCode variant={ClipboardCopyVariant.expansion} hoverTip="Copy details" clickTip="Copied" textAriaLabel="details">
          {fault.words}
        </ClipboardCopy>
      </EmptyStateFooter>
    </EmptyState>
  );
}

/** Asks again; counts down first where the answer said when. */
function Retry({ fault, onRetry }: { fault: Fault; onRetry: () => void }) {
  const [left, setLeft] = useState(fault.status === 429 ? (fault.retryAfter ?? 0) : 0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <Button variant="primary" onClick={onRetry} isDisabled={left > 0}>
      {left > 0 ? `Try again in ${left} s` : "Try again"}
    </Button>
  );
}

/** What is shown is not fresh. */
export function Stale({ asOf, fault, onRetry }: { asOf: number; fault: Fault | null; onRetry: () => void }) {
  return (
    <Alert
      isInline
      variant="warning"
      title={<>Not live: this is as of <Age of={asOf} ago /></>}
      actionLinks={<AlertActionLink onClick={onRetry}>Try now</AlertActionLink>}
    >
      {fault?.detail ?? "The connection is being made again."}
    </Alert>
  );
}

/** A part of a page that is asked for: loading, failed, or there. */
export function Asked<T>(props: {
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  of: string;
  cluster?: string;
  children: (data: T) => ReactNode;
}) {
  const { query, of, cluster, children } = props;
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error !== null && query.error !== undefined) {
    return <Failed error={query.error} onRetry={() => void query.refetch()} {...(cluster ? { cluster } : {})} />;
  }
  return <Loading of={of} />;
}
