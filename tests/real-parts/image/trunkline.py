"""trunkline.py BINARY OUT.tar: the image that the Dockerfile makes of a built binary, with no registry.

Writes a Docker archive of trunkline.test/trunkline:1, which holds the binary, what it is linked to, and the two programs
that the gateway's notes use to hand out a certificate. No shell, no root.
"""

import io
import re
import subprocess
import sys
import tarfile

import make

NAME = "trunkline.test/trunkline:1"
PROGRAM = "usr/local/bin/trunkline"
OTHERS = ["/bin/cat", "/bin/rm"]
USER = "65532:65532"


def main(binary, out):
    layer = make_layer(binary)
    config = {"Entrypoint": ["/" + PROGRAM], "Cmd": ["version"], "User": USER}
    make.write_archive(out, layer, {NAME: config})


def make_layer(binary):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        make.add_folder(layer, "tmp", 0o1777)
        files = {PROGRAM: binary}
        for program in OTHERS:
            files[program.lstrip("/")] = program
        for program in [binary, *OTHERS]:
            for library in libraries(program):
                files[library.lstrip("/")] = library
        for name, path in sorted(files.items()):
            with open(path, "rb") as content:
                make.add_file(layer, name, content.read(), 0o755)
    return buffer.getvalue()


def libraries(binary):
    """What the binary is linked to, by the paths at which it looks for them."""
    linked = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(/\S+) \(0x", linked)


if __name__ == "__main__":
    main(*sys.argv[1:])
