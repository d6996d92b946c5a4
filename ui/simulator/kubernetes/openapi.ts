/** `/openapi/v3`: schemas of the kinds that people edit most, as API servers describe them. */
import { json, type Answer } from "../door/answer.ts";
import { apiVersion, type Resource } from "./resource.ts";

type Schema = Record<string, unknown>;

const string = (description: string, rest: Schema = {}): Schema => ({ type: "string", description, ...rest });
const whole = (description: string): Schema => ({ type: "integer", format: "int32", description });
const boolean = (description: string): Schema => ({ type: "boolean", description });
const map = (description: string, value: Schema = { type: "string" }): Schema => ({ type: "object", description, additionalProperties: value });
const array = (description: string, items: Schema): Schema => ({ type: "array", description, items });
const object = (description: string, properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: "object", description, properties, ...(required.length > 0 ? { required } : {}),
});
const ref = (name: string, description = ""): Schema => ({ description, default: {}, allOf: [{ $ref: `#/components/schemas/${name}` }] });

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const SELECTOR = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector";
const POD_SPEC = "io.k8s.api.core.v1.PodSpec";
const TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec";
const CONTAINER = "io.k8s.api.core.v1.Container";
const PEER = "io.k8s.api.networking.v1.NetworkPolicyPeer";

const SHARED: Record<string, Schema> = {
  [META]: object("ObjectMeta is metadata that all persisted resources must have.", {
    name: string("Name must be unique within a namespace."),
    namespace: string("Namespace defines the space within which each name must be unique."),
    labels: map("Map of string keys and values that can be used to organize and categorize objects."),
    annotations: map("Annotations is an unstructured key value map stored with a resource."),
    resourceVersion: string("An opaque value that represents the internal version of this object."),
  }),
  [SELECTOR]: object("A label selector is a label query over a set of resources.", {
    matchLabels: map("matchLabels is a map of {key,value} pairs."),
    matchExpressions: array("matchExpressions is a list of label selector requirements.", object("", {
      key: string("key is the label key."), operator: string("operator", { enum: ["In", "NotIn", "Exists", "DoesNotExist"] }), values: array("values", { type: "string" }),
    }, ["key", "operator"])),
  }),
  [CONTAINER]: object("A single application container that you want to run within a pod.", {
    name: string("Name of the container specified as a DNS_LABEL."),
    image: string("Container image name."),
    imagePullPolicy: string("Image pull policy.", { enum: ["Always", "IfNotPresent", "Never"] }),
    command: array("Entrypoint array.", { type: "string" }),
    args: array("Arguments to the entrypoint.", { type: "string" }),
    env: array("List of environment variables.", object("", { name: string("Name"), value: string("Value") }, ["name"])),
    ports: array("List of ports to expose.", object("", { containerPort: whole("Number of port"), name: string("Name"), protocol: string("Protocol", { enum: ["TCP", "UDP", "SCTP"] }) }, ["containerPort"])),
    resources: object("Compute Resources required.", { limits: map("Limits"), requests: map("Requests") }),
  }, ["name"]),
  [POD_SPEC]: object("PodSpec is a description of a pod.", {
    containers: array("List of containers belonging to the pod.", ref(CONTAINER)),
    nodeName: string("NodeName indicates in which node this pod is scheduled."),
    restartPolicy: string("Restart policy.", { enum: ["Always", "Never", "OnFailure"] }),
    serviceAccountName: string("ServiceAccountName is the name of the ServiceAccount to use."),
    terminationGracePeriodSeconds: whole("Optional duration in seconds the pod needs to terminate gracefully."),
    hostNetwork: boolean("Host networking requested for this pod."),
  }, ["containers"]),
  [TEMPLATE]: object("PodTemplateSpec describes the data a pod should have.", { metadata: ref(META), spec: ref(POD_SPEC) }),
  [PEER]: object("NetworkPolicyPeer describes a peer.", {
    podSelector: ref(SELECTOR), namespaceSelector: ref(SELECTOR),
    ipBlock: object("ipBlock", { cidr: string("cidr"), except: array("except", { type: "string" }) }, ["cidr"]),
  }),
};

const port = object("", { port: { oneOf: [{ type: "string" }, { type: "integer" }], format: "int-or-string", description: "port" }, protocol: string("protocol") });

/** What the `spec` and the other fields of a kind are. */
const BODIES: Record<string, Record<string, Schema>> = {
  "apps/v1/Deployment": {
    spec: object("DeploymentSpec is the specification of the desired behavior of the Deployment.", {
      replicas: whole("Number of desired pods."), paused: boolean("Indicates that the deployment is paused."), minReadySeconds: whole("Minimum number of seconds."),
      revisionHistoryLimit: whole("The number of old ReplicaSets to retain."), selector: ref(SELECTOR, "Label selector for pods."), template: ref(TEMPLATE),
      strategy: object("The deployment strategy.", { type: string("Type", { enum: ["Recreate", "RollingUpdate"] }) }),
    }, ["selector", "template"]),
  },
  "v1/Pod": { spec: ref(POD_SPEC) },
  "v1/ConfigMap": { data: map("Data contains the configuration data."), binaryData: map("BinaryData contains the binary data."), immutable: boolean("Immutable") },
  "v1/Secret": { data: map("Data contains the secret data.", { type: "string", format: "byte" }), type: string("Used to facilitate programmatic handling of secret data.") },
  "v1/Service": {
    spec: object("Spec defines the behavior of a service.", {
      type: string("type", { enum: ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"] }), selector: map("Route service traffic to pods."),
      ports: array("The list of ports.", object("", { name: string("name"), port: whole("port"), protocol: string("protocol") }, ["port"])),
    }),
  },
  "networking.k8s.io/v1/NetworkPolicy": {
    spec: object("spec represents the specification of the desired behavior for this NetworkPolicy.", {
      podSelector: ref(SELECTOR), policyTypes: array("policyTypes", string("", { enum: ["Ingress", "Egress"] })),
      ingress: array("ingress", object("", { from: array("from", ref(PEER)), ports: array("ports", port) })),
      egress: array("egress", object("", { to: array("to", ref(PEER)), ports: array("ports", port) })),
    }, ["podSelector"]),
  },
  "brew.example.com/v1beta2/Teapot": {
    spec: object("What is brewed.", { blend: string("Which tea.", { enum: ["assam", "sencha", "rooibos"] }), strength: { type: "number", minimum: 0, maximum: 11, description: "How strong." } }, ["blend"]),
  },
};

function nameOf(kind: Resource): string {
  const group = kind.group === "" ? "core" : (kind.group.split(".")[0] ?? "");
  if (kind.group.includes("example.com")) return `com.example.brew.${kind.version}.${kind.kind}`;
  return `io.k8s.api.${group}.${kind.version}.${kind.kind}`;
}

export function openapi(kinds: readonly Resource[], path: string): Answer | undefined {
  const versions = new Set(kinds.map(apiVersion));
  if (path === "/openapi/v3") {
    const paths = [...versions].map((version) => {
      const at = version === "v1" ? "api/v1" : `apis/${version}`;
      return [at, { serverRelativeURL: `/openapi/v3/${at}?hash=51` }];
    });
    return json({ paths: Object.fromEntries(paths) as unknown });
  }
  const [, core, named] = /^\/openapi\/v3\/(?:api\/(v1)|apis\/(.+))$/.exec(path) ?? [];
  const version = core ?? named;
  if (version === undefined || !versions.has(version)) return undefined;
  const own = kinds.filter((kind) => apiVersion(kind) === version).map((kind) => {
    const properties = {
      apiVersion: string("APIVersion defines the versioned schema of this representation of an object."),
      kind: string("Kind is a string value representing the REST resource this object represents."),
      metadata: ref(META, "Standard object's metadata."),
      ...(BODIES[`${version}/${kind.kind}`] ?? { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } }),
    };
    const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
    return [nameOf(kind), { ...object(`${kind.kind} of ${version}.`, properties), "x-kubernetes-group-version-kind": [gvk] }];
  });
  const schemas: Record<string, unknown> = { ...SHARED, ...(Object.fromEntries(own) as Record<string, unknown>) };
  return json({ openapi: "3.0.0", info: { title: "Kubernetes", version: "v1.34.2" }, paths: {}, components: { schemas } });
}
