"""list_watch.py: the client-go program's sibling with Python's `kubernetes` client.

Pages through namespaces and pods, watches the whole life of a ConfigMap of its own, and with --exec POD runs a
command in a pod over a WebSocket. What it prints depends on the outcome only. Exits 0 only if everything was seen
before the deadline.
"""

import argparse
import os
import queue
import sys
import threading
import time

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream


def main():
    options = parse_options()
    # No call of the library is bounded as a whole, and a stuck one must not hang the caller.
    watchdog = threading.Timer(options.timeout, give_up, [options.timeout])
    watchdog.daemon = True
    watchdog.start()

    api_client = config.new_client_from_config(options.kubeconfig, options.context)
    for header in options.header:
        api_client.set_default_header(*header.split("=", 1))
    core = client.CoreV1Api(api_client)

    compare_pages("namespaces", core.list_namespace)
    compare_pages("pods", core.list_pod_for_all_namespaces)
    watch_own_config_map(core, options.namespace)
    if options.exec:
        run_in_pod(core, options.namespace, options.exec)
    print("all seen")


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", default=os.environ.get("KUBECONFIG"))
    parser.add_argument("--context", help="default: the kubeconfig's current one")
    parser.add_argument("--header", action="append", default=[], metavar="KEY=VALUE", help="on every plain request")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--exec", metavar="POD", help="also run a command in this pod")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for the whole run")
    return parser.parse_args()


def give_up(seconds):
    print(f"list_watch.py: not done after {seconds:g} s", file=sys.stderr, flush=True)
    os._exit(1)


def compare_pages(what, list_objects):
    whole = [name_of(item) for item in list_objects().items]
    paged, next_page = [], None
    while next_page != "":
        page = list_objects(limit=1, _continue=next_page)
        assert len(page.items) <= 1, f"a page of limit 1 has {len(page.items)}"
        paged += [name_of(item) for item in page.items]
        next_page = page.metadata._continue or ""
    assert whole == paged, f"{what}: whole {whole}, in pages {paged}"
    print(f"list {what}: the same whole and in pages")


def name_of(item):
    return (item.metadata.namespace, item.metadata.name)


def watch_own_config_map(core, namespace):
    name = f"real-parts-python-{os.getpid()}-{time.time_ns()}"
    # The watch starts where this list ends, before the object exists: every event of its life must arrive, in order.
    before = core.list_namespaced_config_map(namespace).metadata.resource_version
    events = queue.Queue()
    threading.Thread(target=follow, args=(core, namespace, name, before, events), daemon=True).start()

    body = {"metadata": {"name": name}, "data": {"step": "created"}}
    steps = [
        ("ADDED", "created", lambda: core.create_namespaced_config_map(namespace, body)),
        ("MODIFIED", "updated", lambda: update(core, namespace, name)),
        ("MODIFIED", "patched", lambda: core.patch_namespaced_config_map(name, namespace, {"data": {"step": "patched"}})),
        ("MODIFIED", "applied", lambda: server_side_apply(core, namespace, name)),
        ("DELETED", "applied", lambda: core.delete_namespaced_config_map(name, namespace)),
    ]
    try:
        for kind, step, change in steps:
            change()
            seen = events.get()
            assert seen == (kind, step), f"want {(kind, step)}, got {seen}"
            print(f"watch: {kind} {step}")
    finally:
        discard(core, namespace, name)


def follow(core, namespace, name, resource_version, events):
    selected = watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=resource_version,
        field_selector=f"metadata.name={name}",
    )
    for event in selected:
        events.put((event["type"], event["object"].data["step"]))
        if event["type"] == "DELETED":
            return


def update(core, namespace, name):
    found = core.read_namespaced_config_map(name, namespace)
    found.data["step"] = "updated"
    core.replace_namespaced_config_map(name, namespace, found)


def server_side_apply(core, namespace, name):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"step": "applied"}}
    # The typed client chooses a patch's content type itself, and never this one; a default header wins over it.
    api_client = core.api_client
    api_client.set_default_header("Content-Type", "application/apply-patch+yaml")
    try:
        core.patch_namespaced_config_map(name, namespace, body, field_manager="real-parts", force=True)
    finally:
        del api_client.default_headers["Content-Type"]


def discard(core, namespace, name):
    try:
        core.delete_namespaced_config_map(name, namespace)
    except ApiException as error:
        if error.status != 404:
            raise


def run_in_pod(core, namespace, pod):
    session = stream(
        core.connect_get_namespaced_pod_exec,
        pod,
        namespace,
        command=["sh", "-c", "read line; echo out $line; echo err $line >&2; exit 7"],
        stdin=True,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    session.write_stdin("hello\n")
    session.run_forever()
    seen = (session.read_stdout(), session.read_stderr(), session.returncode)
    assert seen == ("out hello\n", "err hello\n", 7), f"exec: got {seen}"
    print("exec: stdin, stdout, stderr and exit code")


if __name__ == "__main__":
    main()
