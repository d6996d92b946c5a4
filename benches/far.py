"""One end of a long line that loses packets: what a tun device is given arrives at the other end half a round trip later, or never.

    far.py DEVICE SOCKET OTHER MS LOSS

SOCKET is made; OTHER is that of the other end. MS is the round trip, LOSS how many of 100 packets are lost, by a seed.
"""

import contextlib
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x0001 | 0x1000
# As a router's queue: what comes in while so many are on their way is lost.
ON_THEIR_WAY = 10_000
# How soon what the other end had no room for is tried again, in seconds.
RETRY = 0.0002


def main(device, mine, other, ms, loss):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN_NO_PI))
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.bind(mine)
    line.setblocking(False)
    half, chance = float(ms) / 2e3, float(loss) / 100
    dice = random.Random(6)
    due, number = [], 0
    while True:
        wait = max(RETRY, due[0][0] - time.monotonic()) if due else None
        ready, _, _ = select.select([tun, line], [], [], wait)
        now = time.monotonic()
        if tun in ready:
            packet = os.read(tun, 65536)
            if dice.random() >= chance and len(due) < ON_THEIR_WAY:
                number += 1
                heapq.heappush(due, (now + half, number, packet))
        if line in ready:
            with contextlib.suppress(OSError):  # The device is not up yet.
                os.write(tun, line.recv(65536))
        while due and due[0][0] <= now:
            try:
                line.sendto(due[0][2], other)
            except BlockingIOError:
                break  # The other end reads first.
            except FileNotFoundError:
                pass  # It is not there yet.
            heapq.heappop(due)


main(*sys.argv[1:])
