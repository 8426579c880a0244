"""A wire in user space: TCP connections go through with a delay and at most so many bytes a second.

Arguments: seconds of delay each way, bytes a second each way (of each connection), then for each wire
LISTEN_HOST:PORT=TARGET_HOST:PORT. It ends when its standard input does. (Kernels without netem have no other.)
"""

import queue
import socket
import sys
import threading
import time

DELAY, RATE = float(sys.argv[1]), float(sys.argv[2])


def send_later(waiting, sink):
    free = 0.0
    while (item := waiting.get()) is not None:
        due, data = item
        free = max(free, due)
        time.sleep(max(0.0, free - time.monotonic()))
        free += len(data) / RATE
        try:
            sink.sendall(data)
        except OSError:
            return
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def carry(source, sink):
    waiting = queue.Queue(maxsize=64)
    threading.Thread(target=send_later, args=(waiting, sink), daemon=True).start()
    try:
        while data := source.recv(8192):
            waiting.put((time.monotonic() + DELAY, data))
    except OSError:
        pass
    waiting.put(None)


def listen(near, far):
    host, _, port = near.partition(":")
    listener = socket.create_server((host, int(port)))
    while True:
        here, _ = listener.accept()
        host, _, port = far.partition(":")
        there = socket.create_connection((host, int(port)))
        for pair in ((here, there), (there, here)):
            threading.Thread(target=carry, args=pair, daemon=True).start()


for wire in sys.argv[3:]:
    threading.Thread(target=listen, args=wire.split("="), daemon=True).start()
time.sleep(0.3)
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.read()
