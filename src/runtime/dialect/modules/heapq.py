def _rise(heap, at, top):
    item = heap[at]
    while at > top:
        above = (at - 1) >> 1
        if not item < heap[above]:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = item


def _sink(heap, at):
    # To the bottom along the smaller children, then up again: what is put on top comes from the bottom, mostly.
    top = at
    size = len(heap)
    item = heap[at]
    below = 2 * at + 1
    while below < size:
        if below + 1 < size and not heap[below] < heap[below + 1]:
            below += 1
        heap[at] = heap[below]
        at = below
        below = 2 * at + 1
    heap[at] = item
    _rise(heap, at, top)


def heappush(heap, item, /):
    heap.append(item)
    _rise(heap, len(heap) - 1, 0)


def heappop(heap, /):
    if not heap:
        raise IndexError("index out of range")
    last = heap.pop()
    if not heap:
        return last
    first = heap[0]
    heap[0] = last
    _sink(heap, 0)
    return first


def heapreplace(heap, item, /):
    if not heap:
        raise IndexError("index out of range")
    first = heap[0]
    heap[0] = item
    _sink(heap, 0)
    return first


def heappushpop(heap, item, /):
    if heap and heap[0] < item:
        first = heap[0]
        heap[0] = item
        _sink(heap, 0)
        return first
    return item


def heapify(heap, /):
    for at in range(len(heap) // 2 - 1, -1, -1):
        _sink(heap, at)


def nsmallest(n, iterable, key=None):
    return [] if n <= 0 else sorted(iterable, key=key)[:n]


def nlargest(n, iterable, key=None):
    return [] if n <= 0 else sorted(iterable, key=key, reverse=True)[:n]


def merge(*iterables, key=None, reverse=False):
    lists = [list(iterable) for iterable in iterables]
    ranks = lists if key is None else [[key(item) for item in items] for items in lists]
    merged = []
    places = [0] * len(lists)
    if reverse:
        left = sum([len(items) for items in lists])
        for _ in range(left):
            best = None
            for order in range(len(lists)):
                at = places[order]
                if at < len(lists[order]) and (best is None or ranks[best][places[best]] < ranks[order][at]):
                    best = order
            merged.append(lists[best][places[best]])
            places[best] += 1
        return iter(merged)
    heads = []
    for order in range(len(lists)):
        if lists[order]:
            heappush(heads, (ranks[order][0], order))
    while heads:
        _, order = heads[0]
        at = places[order]
        merged.append(lists[order][at])
        places[order] = at + 1
        if at + 1 < len(lists[order]):
            heapreplace(heads, (ranks[order][at + 1], order))
        else:
            heappop(heads)
    return iter(merged)
