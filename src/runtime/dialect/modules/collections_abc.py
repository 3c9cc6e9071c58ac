from collections import Counter, deque

# What a class of its own has, where the names of Python's own classes are no methods that can be looked for.
_functions = ("function", "builtin_function_or_method", "method", "type", "partial", "_lru_cache_wrapper")
_keys = type({}.keys())
_values = type({}.values())
_items = type({}.items())
_lists = (list, tuple, str, bytes, range, deque)
_sets = (set, frozenset, _keys, _items)
_sized = (*_lists, *_sets, dict, _values)
_iterators = ("iterator", "reader", "reversed", "chain", "count", "cycle", "repeat", "tee", "groupby")


def _is_iterator(value):
    name = type(value).__name__
    return name.endswith(_iterators) or (hasattr(value, "__next__") and hasattr(value, "__iter__"))


class _Kind:
    def __init__(self, name, builtin, methods=()):
        self._name = name
        self._builtin = builtin
        self._methods = methods

    def __repr__(self):
        return f"<class 'collections.abc.{self._name}'>"

    def __getitem__(self, item):
        return self

    def has(self, value):
        if isinstance(value, self._builtin):
            return True
        if self._name == "Callable":
            return type(value).__name__ in _functions or hasattr(value, "__call__")
        if self._name in ("Iterator", "Generator"):
            return self._name == "Iterator" and _is_iterator(value)
        if self._name == "Iterable" and _is_iterator(value):
            return True
        if self._name == "Hashable":
            return not isinstance(value, (list, dict, set, deque, _keys, _items))
        return bool(self._methods) and all([hasattr(value, name) for name in self._methods])


Callable = _Kind("Callable", ())
Collection = _Kind("Collection", _sized, ("__len__", "__iter__", "__contains__"))
Container = _Kind("Container", _sized, ("__contains__",))
Hashable = _Kind("Hashable", ())
ItemsView = _Kind("ItemsView", _items)
Iterable = _Kind("Iterable", _sized, ("__iter__",))
Iterator = _Kind("Iterator", ())
KeysView = _Kind("KeysView", _keys)
Mapping = _Kind("Mapping", dict)
MappingView = _Kind("MappingView", (_keys, _values, _items))
MutableMapping = _Kind("MutableMapping", dict)
MutableSequence = _Kind("MutableSequence", (list, deque))
MutableSet = _Kind("MutableSet", set)
Reversible = _Kind("Reversible", (*_lists, dict, _keys, _values, _items), ("__reversed__", "__iter__"))
Sequence = _Kind("Sequence", _lists)
Set = _Kind("Set", _sets)
Sized = _Kind("Sized", _sized, ("__len__",))
ValuesView = _Kind("ValuesView", _values)
AsyncGenerator = _Kind("AsyncGenerator", ())
AsyncIterable = _Kind("AsyncIterable", (), ("__aiter__",))
AsyncIterator = _Kind("AsyncIterator", (), ("__aiter__", "__anext__"))
Awaitable = _Kind("Awaitable", (), ("__await__",))
Buffer = _Kind("Buffer", bytes)
Coroutine = _Kind("Coroutine", (), ("__await__", "send"))
Generator = _Kind("Generator", ())
