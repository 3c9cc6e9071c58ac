from collections import deque
from dataclasses import FrozenInstanceError
from re import error as PatternError

# Exceptions of one's own can't be made. These are raised by nothing else that has to do with queues.
Empty = FrozenInstanceError
Full = PatternError


class _Fifo:
    def __init__(self):
        self.items = deque()

    def put(self, item):
        self.items.append(item)

    def get(self):
        return self.items.popleft()


class _Lifo:
    def __init__(self):
        self.items = []

    def put(self, item):
        self.items.append(item)

    def get(self):
        return self.items.pop()


class _Sorted:
    def __init__(self):
        self.items = []

    def put(self, item):
        items = self.items
        items.append(item)
        at = len(items) - 1
        while at > 0 and item < items[(at - 1) >> 1]:
            items[at] = items[(at - 1) >> 1]
            at = (at - 1) >> 1
        items[at] = item

    def get(self):
        items = self.items
        last = items.pop()
        if not items:
            return last
        first = items[0]
        size = len(items)
        at = 0
        below = 1
        while below < size:
            if below + 1 < size and not items[below] < items[below + 1]:
                below += 1
            items[at] = items[below]
            at = below
            below = 2 * at + 1
        while at > 0 and last < items[(at - 1) >> 1]:
            items[at] = items[(at - 1) >> 1]
            at = (at - 1) >> 1
        items[at] = last
        return first


class _Waiting:
    def __init__(self, store, maxsize):
        self.maxsize = maxsize
        self.unfinished_tasks = 0
        self._store = store

    def qsize(self):
        return len(self._store.items)

    def empty(self):
        return not self._store.items

    def full(self):
        return 0 < self.maxsize <= len(self._store.items)

    def put(self, item, block=True, timeout=None):
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        if 0 < self.maxsize <= len(self._store.items):
            raise Full("queue.Full")
        self._store.put(item)
        self.unfinished_tasks += 1

    def put_nowait(self, item):
        return self.put(item, False)

    def get(self, block=True, timeout=None):
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        if not self._store.items:
            raise Empty("queue.Empty")
        return self._store.get()

    def get_nowait(self):
        return self.get(False)

    def task_done(self):
        if self.unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self.unfinished_tasks -= 1

    def join(self):
        if self.unfinished_tasks:
            raise RuntimeError("join() would wait for ever: no other thread can call task_done()")


def Queue(maxsize=0):
    return _Waiting(_Fifo(), maxsize)


def LifoQueue(maxsize=0):
    return _Waiting(_Lifo(), maxsize)


def PriorityQueue(maxsize=0):
    return _Waiting(_Sorted(), maxsize)


def SimpleQueue():
    return _Waiting(_Fifo(), 0)
