import math
from collections import deque

_builtin = (str, bytes, list, dict, set, frozenset, tuple, int, float, deque)


class _Object:
    def __repr__(self):
        return "<object object>"


def blank():
    return _Object()


def bound(holder, name, make):
    # A method of an object of a builtin type is no value here. One of an own class is, and so is an attribute.
    if not hasattr(holder, name) and isinstance(holder, _builtin):
        return make(holder)
    return getattr(holder, name)


def bit_length(holder):
    return len(bin(holder).lstrip("-0b")) if isinstance(holder, int) else holder.bit_length()


def bit_count(holder):
    return bin(holder).count("1") if isinstance(holder, int) else holder.bit_count()


def is_integer(holder):
    if isinstance(holder, int):
        return True
    if isinstance(holder, float):
        return holder - holder == 0.0 and holder == math.floor(holder)
    return holder.is_integer()


def difference_update(holder, *others):
    if not isinstance(holder, set):
        return holder.difference_update(*others)
    for other in others:
        for item in list(other):
            holder.discard(item)


def intersection_update(holder, *others):
    if not isinstance(holder, set):
        return holder.intersection_update(*others)
    kept = set(holder)
    for other in others:
        kept = kept.intersection(other)
    for item in list(holder):
        if item not in kept:
            holder.discard(item)


def symmetric_difference_update(holder, other, /):
    if not isinstance(holder, set):
        return holder.symmetric_difference_update(other)
    for item in set(other):
        if item in holder:
            holder.discard(item)
        else:
            holder.add(item)


def union(holder, *others):
    if not isinstance(holder, (set, frozenset)):
        return holder.union(*others)
    all = set(holder)
    for other in others:
        all = all.union(other)
    return all if isinstance(holder, set) else frozenset(all)


def intersection(holder, *others):
    if not isinstance(holder, (set, frozenset)):
        return holder.intersection(*others)
    kept = set(holder)
    for other in others:
        kept = kept.intersection(other)
    return kept if isinstance(holder, set) else frozenset(kept)


def difference(holder, *others):
    if not isinstance(holder, (set, frozenset)):
        return holder.difference(*others)
    left = set(holder)
    for other in others:
        left = left.difference(other)
    return left if isinstance(holder, set) else frozenset(left)


def format_map(holder, mapping, /):
    return holder.format(**mapping) if isinstance(holder, str) else holder.format_map(mapping)


def maketrans(x, y=None, z=None, /):
    if y is None:
        if not isinstance(x, dict):
            raise TypeError("if you give only one argument to maketrans it must be a dict")
        table = {}
        for key, value in x.items():
            if isinstance(key, str):
                if len(key) != 1:
                    raise ValueError("string keys in translate table must be of length 1")
                key = ord(key)
            elif not isinstance(key, int):
                raise TypeError("keys in translate table must be strings or integers")
            table[key] = value
        return table
    if len(x) != len(y):
        raise ValueError("the first two maketrans arguments must have equal length")
    table = {ord(old): ord(new) for old, new in zip(x, y)}
    if z is not None:
        for gone in z:
            table[ord(gone)] = None
    return table


def translate(holder, table, /):
    if not isinstance(holder, str):
        return holder.translate(table)
    parts = []
    for letter in holder:
        try:
            new = table[ord(letter)]
        except LookupError:
            parts.append(letter)
            continue
        if isinstance(new, int):
            parts.append(chr(new))
        elif isinstance(new, str):
            parts.append(new)
        elif new is not None:
            raise TypeError("character mapping must return integer, None or str")
    return "".join(parts)
