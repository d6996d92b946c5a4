import { useSession } from "../app/session.tsx";
import { Facts } from "../parts/Facts.tsx";

export function Gateway() {
  const { gateway } = useSession();
  return (
    <Facts
      facts={[
        ["Version", gateway.version],
        ["Address for clients", <code key="front">{gateway.front}</code>],
        ["Addresses for agents", gateway.tunnel.map((address) => <div key={address}><code>{address}</code></div>)],
        ["CA pin", gateway.pin === null || gateway.pin === undefined ? "it issues no certificates" : <code key="pin" className="tl-code">{gateway.pin}</code>],
        ["Clusters by host", gateway.hostSuffix === null || gateway.hostSuffix === undefined ? "not set" : <code key="host">{`<cluster>.${gateway.hostSuffix}`}</code>],
        ["Clusters", `${gateway.clusters}, ${gateway.connected} connected`],
        ["Its own cluster", gateway.management ? "is reached as management" : "is not set"],
        ["Cluster type", gateway.clusterType],
        ["API", <a key="api" href="/trunkline/v1/openapi.json">OpenAPI document</a>],
      ]}
    />
  );
}
