/** Services and ingresses. */
import { SERVICES } from "../kubernetes/kinds/core.ts";
import { INGRESSES } from "../kubernetes/kinds/policies.ts";
import { put, type Seeding } from "./seeding.ts";

const SERVED: readonly [string, string, string][] = [
  ["web", "shop", "LoadBalancer"], ["cart", "shop", "ClusterIP"], ["search", "shop", "ClusterIP"], ["database", "shop", "ClusterIP"],
  ["gateway", "payments", "ClusterIP"], ["ledger", "payments", "ClusterIP"], ["grafana", "monitoring", "NodePort"], ["kube-dns", "kube-system", "ClusterIP"],
];

export function seedNetwork(seeding: Seeding): void {
  const { random } = seeding;
  for (const [name, namespace, type] of SERVED) {
    put(seeding, SERVICES, { name, namespace, labels: { app: name } }, {
      spec: { type, clusterIP: `10.96.${random.whole(0, 255)}.${random.whole(1, 254)}`, selector: { app: name }, ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }] },
      status: { loadBalancer: type === "LoadBalancer" ? { ingress: [{ ip: "203.0.113.20" }] } : {} },
    });
  }
  put(seeding, INGRESSES, { name: "web", namespace: "shop" }, {
    spec: { ingressClassName: "nginx", rules: [{ host: "shop.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { name: "http" } } } }] } }] },
    status: { loadBalancer: { ingress: [{ ip: "203.0.113.20" }] } },
  });
}
