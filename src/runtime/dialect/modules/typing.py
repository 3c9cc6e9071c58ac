class _Form:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"typing.{self._name}"

    def __getitem__(self, item):
        return self

    def __or__(self, other):
        return self

    def __ror__(self, other):
        return self


def cast(typ, val):
    return val


def final(f):
    return f


def no_type_check(arg):
    return arg


def overload(func):
    return func


def override(method, /):
    return method


def reveal_type(obj, /):
    return obj


def assert_type(val, typ, /):
    return val


def assert_never(arg, /):
    raise AssertionError(f"Expected code to be unreachable, but got: {arg!r}")


def NewType(name, tp):
    return lambda value: value


Text = str
AbstractSet = _Form("AbstractSet")
AnyStr = _Form("AnyStr")
AsyncGenerator = _Form("AsyncGenerator")
AsyncIterable = _Form("AsyncIterable")
AsyncIterator = _Form("AsyncIterator")
Awaitable = _Form("Awaitable")
BinaryIO = _Form("BinaryIO")
Collection = _Form("Collection")
Concatenate = _Form("Concatenate")
Container = _Form("Container")
ContextManager = _Form("ContextManager")
Coroutine = _Form("Coroutine")
Counter = _Form("Counter")
DefaultDict = _Form("DefaultDict")
Deque = _Form("Deque")
Hashable = _Form("Hashable")
IO = _Form("IO")
ItemsView = _Form("ItemsView")
KeysView = _Form("KeysView")
LiteralString = _Form("LiteralString")
Match = _Form("Match")
MutableMapping = _Form("MutableMapping")
MutableSequence = _Form("MutableSequence")
MutableSet = _Form("MutableSet")
OrderedDict = _Form("OrderedDict")
Pattern = _Form("Pattern")
Reversible = _Form("Reversible")
Sized = _Form("Sized")
SupportsAbs = _Form("SupportsAbs")
SupportsFloat = _Form("SupportsFloat")
SupportsIndex = _Form("SupportsIndex")
SupportsInt = _Form("SupportsInt")
TextIO = _Form("TextIO")
TypeAlias = _Form("TypeAlias")
TypeGuard = _Form("TypeGuard")
Unpack = _Form("Unpack")
ValuesView = _Form("ValuesView")
