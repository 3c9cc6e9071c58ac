from collections import Counter, deque


def item(holder, key):
    if isinstance(holder, Counter):
        holder.pop(key, None)
    elif isinstance(holder, dict):
        holder.pop(key)
    elif isinstance(holder, list):
        if not isinstance(key, int):
            raise TypeError(f"list indices must be integers or slices, not {type(key).__name__}")
        if not -len(holder) <= key < len(holder):
            raise IndexError("list assignment index out of range")
        holder.pop(key)
    elif isinstance(holder, deque):
        if not isinstance(key, int):
            raise TypeError(f"sequence index must be integer, not '{type(key).__name__}'")
        if not -len(holder) <= key < len(holder):
            raise IndexError("deque index out of range")
        key = int(key)
        holder.rotate(-key)
        holder.popleft()
        holder.rotate(key if key >= 0 else key + 1)
    elif hasattr(holder, "__delitem__"):
        holder.__delitem__(key)
    else:
        raise TypeError(f"'{type(holder).__name__}' object does not support item deletion")


def span(holder, first, last, step):
    if not isinstance(holder, list):
        raise TypeError(f"'{type(holder).__name__}' object does not support deletion of slices here")
    gone = range(len(holder))[first:last:step]
    if step is None or step == 1:
        holder[first:last] = []
        return
    gone = set(gone)
    holder[:] = [value for at, value in enumerate(holder) if at not in gone]


# What `except … as name` takes away at its end is how a name is deleted.
gone = ValueError
