# Frames over the private pipe, and everything that the code prints.
#
# The parts of this driver are one program: what they define is shared. A frame is its length in four bytes and JSON.

import builtins
import io
import json
import os
import select
import sys
import threading
import time as real_time
import types

MOST_KEPT = 4096
LONGEST_KEPT = 0.05


class Wire:
    """The private pipe: what was stdin and stdout before the code had any."""

    def __init__(self):
        self.source, self.sink = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.close(nothing)
        self.raw, into = os.pipe()
        os.dup2(into, 1)
        os.dup2(into, 2)
        os.close(into)
        self.woken, self.waker = os.pipe()
        self.lock = threading.RLock()
        self.printed = bytearray()
        self.flushed_at = real_time.monotonic()

    def receive(self):
        length = int.from_bytes(self._read(4), "big")
        return json.loads(self._read(length))

    def _read(self, count):
        parts = []
        while count:
            part = os.read(self.source, min(count, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def wait_for_end(self):
        while os.read(self.source, 1 << 16):
            pass
        os._exit(0)

    def send(self, frame):
        kind = frame.pop("t")
        text = json.dumps({kind: frame}, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        data = memoryview(len(text).to_bytes(4, "big") + text)
        with self.lock:
            while data:
                try:
                    data = data[os.write(self.sink, data):]
                except BrokenPipeError:
                    os._exit(0)

    def print(self, data):
        with self.lock:
            if not self.printed:
                os.write(self.waker, b"x")
            self.printed += data
            now = real_time.monotonic()
            if len(self.printed) > MOST_KEPT or now - self.flushed_at > LONGEST_KEPT:
                self.flush()

    def flush(self):
        with self.lock:
            self.flushed_at = real_time.monotonic()
            # A character that is not whole yet waits for its rest.
            whole = len(self.printed)
            for back in range(1, min(4, whole) + 1):
                byte = self.printed[whole - back]
                if byte >= 0xC0:
                    size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                    whole -= back if size > back else 0
                    break
                if byte < 0x80:
                    break
            if whole:
                text = self.printed[:whole].decode("utf-8", "replace")
                del self.printed[:whole]
                self.send({"t": "out", "text": text})

    def watch(self):
        """Takes what programs and extensions print, which knows nothing of `sys.stdout`."""
        while True:
            select.select([self.raw, self.woken], [], [])
            if select.select([self.woken], [], [], 0)[0]:
                os.read(self.woken, 1 << 16)
                real_time.sleep(LONGEST_KEPT)
                self.flush()
            self.take_raw()

    def take_raw(self):
        with self.lock:
            is_there = bool(select.select([self.raw], [], [], 0)[0])
            if is_there:
                self.print(os.read(self.raw, 1 << 16))
            return is_there

    def settle(self):
        """Sends all that was printed so far."""
        while self.take_raw():
            pass
        self.flush()


class Printer(io.RawIOBase):
    """What `sys.stdout` and `sys.stderr` write to."""

    def __init__(self, wire, descriptor):
        self.wire, self.descriptor = wire, descriptor

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self.wire.print(data)
        return len(data)

    def fileno(self):
        return self.descriptor

    def flush(self):
        self.wire.flush()

    def close(self):
        pass
