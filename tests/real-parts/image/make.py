"""make.py BUSYBOX OUT.tar: the container images of a test cluster, from a static busybox, with no registry.

Writes a Docker archive that `ctr images import` reads, of two images with the same one layer:

    trunkline.test/busybox:1   a shell, every busybox applet, and a page for httpd in /www
    trunkline.test/pause:1     what holds a pod's namespaces: it sleeps
"""

import hashlib
import io
import json
import platform
import subprocess
import sys
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
IMAGES = {
    "trunkline.test/busybox:1": ["/bin/sh"],
    "trunkline.test/pause:1": ["/bin/sleep", "infinity"],
}
FOLDERS = ["bin", "dev", "etc", "home", "proc", "root", "sys", "usr", "usr/bin", "var", "var/log", "www"]
FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": b"root:x:0:\n",
    "www/index.html": b"hello from busybox httpd\n",
}


def main(busybox, out):
    write_archive(out, make_layer(busybox), {name: {"Cmd": command} for name, command in IMAGES.items()})


def write_archive(out, layer, images):
    """Images with the same one layer; for each name, how its containers are run."""
    layer_name = sha256(layer) + "/layer.tar"
    manifest, blobs = [], {layer_name: layer}
    for name, run in images.items():
        config = make_config(run, sha256(layer))
        config_name = sha256(config) + ".json"
        blobs[config_name] = config
        manifest.append({"Config": config_name, "RepoTags": [name], "Layers": [layer_name]})
    with tarfile.open(out, "w") as archive:
        for name, content in blobs.items():
            add_file(archive, name, content)
        add_file(archive, "manifest.json", json.dumps(manifest).encode())


def make_layer(busybox):
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for name in FOLDERS:
            add_folder(layer, name, 0o755)
        add_folder(layer, "tmp", 0o1777)
        with open(busybox, "rb") as binary:
            add_file(layer, "bin/busybox", binary.read(), 0o755)
        for applet in sorted(applets):
            if applet != "busybox":
                add_link(layer, "bin/" + applet, "busybox")
        for name, content in FILES.items():
            add_file(layer, name, content)
    return buffer.getvalue()


def make_config(run, layer_digest):
    return json.dumps(
        {
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Env": ["PATH=/bin:/usr/bin:/usr/local/bin"], **run},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + layer_digest]},
            "history": [{"created_by": "make.py"}],
        }
    ).encode()


def add_folder(archive, name, mode):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    archive.addfile(entry)


def add_file(archive, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def add_link(archive, name, target):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    archive.addfile(entry)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
