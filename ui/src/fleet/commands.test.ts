import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { blocks, quoted, uninstall, WAYS, withoutSecret, type Join } from "./commands.ts";

const MANIFEST = `# The agent of the cluster prod-eu, and what it needs. Holds a join token: keep it to yourself until it was used.
---
apiVersion: v1
kind: Namespace
metadata:
  name: "trunkline"
---
apiVersion: v1
kind: Secret
metadata:
  name: trunkline-agent-identity
  namespace: "trunkline"
---
apiVersion: v1
kind: Secret
metadata:
  name: trunkline-agent-join
  namespace: "trunkline"
stringData:
  token: "tlj_secret"
`;

const join: Join = {
  manifest: MANIFEST, values: 'cluster: "prod-eu"\ntoken: "tlj_secret"\n', namespace: "trunkline", pin: "sha256:00", warnings: [],
  chart: "https://gw.example/trunkline/v1/charts/trunkline-agent-0.1.0.tgz", expires: "2026-11-27T06:30:00Z",
};

/** What a shell makes of a block, with the programs it calls in place. */
function run(text: string): { called: string[][]; read: string } {
  const program = String.raw`
    tell() { printf 'CALLED'; for word in "$@"; do printf '\t%s' "$word"; done; printf '\n'; if [ "$3" = "-f" ] || [ "$2" = "apply" ]; then cat; fi; }
    helm() { tell helm "$@" < /dev/null; }; trunkline() { tell trunkline "$@" < /dev/null; }; kubectl() { case " $* " in *" -f - "*) tell kubectl "$@";; *) tell kubectl "$@" < /dev/null;; esac; }
    cat() { if [ -p /dev/stdin ] || [ -f /dev/stdin ]; then command cat; fi; }
    cd "$(mktemp -d)"
  `;
  const out = execFileSync("sh", ["-c", `${program}\n${text}`], { encoding: "utf8" });
  const lines = out.split("\n");
  return {
    called: lines.filter((line) => line.startsWith("CALLED\t")).map((line) => line.split("\t").slice(1)),
    read: lines.filter((line) => !line.startsWith("CALLED\t")).join("\n"),
  };
}

describe("what is run in the cluster", () => {
  it("by Helm installs the gateway's chart with the values in a file of the user's own", () => {
    const [block] = blocks("helm", "prod-eu", join, { frontRoots: "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n" });
    expect(block?.text).toMatch(/^umask 077\ncat > trunkline-agent-prod-eu.values.yaml <<'VALUES'\n/);
    expect(run(block?.text ?? "").called).toEqual([
      ["helm", "upgrade", "--install", "trunkline-agent", join.chart, "--ca-file", "trunkline-gateway-ca.pem", "-n", "trunkline", "--create-namespace", "-f", "trunkline-agent-prod-eu.values.yaml"],
      ["kubectl", "label", "namespace", "trunkline", "pod-security.kubernetes.io/enforce=restricted"],
    ]);
  });

  it("needs no file of roots where the gateway's are public", () => {
    expect(blocks("helm", "prod-eu", join, {})[0]?.text).not.toContain("ca-file");
  });

  it("by kubectl applies the whole manifest as it is", () => {
    const [block] = blocks("kubectl", "prod-eu", join, {});
    const { called, read } = run(block?.text ?? "");
    expect(called).toEqual([["kubectl", "apply", "-f", "-"]]);
    expect(read.trim()).toBe(MANIFEST.trim());
  });

  it("by GitOps commits no token", () => {
    const [commit, once] = blocks("gitops", "prod-eu", join, {});
    expect(commit?.text).not.toContain("tlj_secret");
    expect(commit?.text).toContain("trunkline-agent-identity");
    expect(once?.text).toContain("tlj_secret");
    expect(once?.text).not.toContain("trunkline-agent-identity");
  });

  it("never has the token among a command's words", () => {
    for (const way of WAYS) {
      for (const { text } of blocks(way, "prod-eu", join, {})) expect(JSON.stringify(run(text).called)).not.toContain("tlj_secret");
    }
  });

  it("keeps what the gateway says from being read by the shell", () => {
    const nasty = { ...join, values: "a: $(touch /tmp/never)\nVALUES\nb: `id`\n", namespace: "a b; id", chart: "https://x/'$(id)'" };
    const [block] = blocks("helm", "prod-eu", nasty, {});
    expect(block?.text).toContain("<<'VALUES_'");
    expect(run(block?.text ?? "").called[0]?.slice(0, 7)).toEqual(["helm", "upgrade", "--install", "trunkline-agent", "https://x/'$(id)'", "-n", "a b; id"]);
  });
});

it("a manifest without the token's Secret is the manifest but for that", () => {
  const { kept, secret } = withoutSecret(MANIFEST);
  expect(kept).not.toContain("Holds a join token");
  expect(`${kept}${secret}`.match(/^kind:/gm)).toHaveLength(3);
});

it("words are quoted where a shell would read them", () => {
  expect(quoted("a-b.c/d:1")).toBe("a-b.c/d:1");
  expect(quoted("it's")).toBe("'it'\\''s'");
});

it("taking an agent out names both ways that it may have come", () => {
  expect(uninstall("prod-eu").map(({ text }) => text)).toEqual([
    "helm uninstall trunkline-agent -n trunkline\nkubectl delete namespace trunkline\n",
    "kubectl delete -f trunkline-agent-prod-eu.yaml\n",
  ]);
});
