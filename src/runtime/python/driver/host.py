# The module `repertoire`: its functions ask the host and wait for what it says.


class Host:
    def __init__(self, wire, own_modules):
        self.wire, self.own_modules = wire, own_modules
        self.lock = threading.RLock()
        self.calls = self.exchanges = self.replayed = 0
        self.offsets = [0]
        self.code_lines = 0
        self.argument_bytes = 0
        self.classes = {}
        # Futures of calls that were promised, by number.
        self.promised = {}

    def is_replaying(self):
        return self.exchanges < self.replayed

    def ask(self, frame):
        """Tells the host something and returns what it answers."""
        with self.lock:
            self.wire.settle()
            frame["reads"] = clock.take()
            self.wire.send(frame)
            answer = self.wire.receive()
            self.exchanges += 1
            return answer

    def call(self, function, args, kwargs, frame, is_awaited=False):
        offset = self.place(frame)
        args = [self.plain(function, f"argument {at + 1}", value) for at, value in enumerate(args)]
        kwargs = {name: self.plain(function, name, value) for name, value in kwargs.items()}
        with self.lock:
            self.calls += 1
            number = self.calls
            answer = self.ask({
                "t": "call", "id": number, "function": function, "args": args, "kwargs": kwargs,
                "offset": offset, "awaited": is_awaited,
            })
        if answer == "promise":
            return self.promise(number)
        return self.value(answer)

    def plain(self, function, name, value):
        try:
            return Form(name, self.argument_bytes, self.own_modules).of(value)
        except Refused as refused:
            kind = getattr(builtins, refused.kind)
            raise kind(f"{function}(): {refused.message}") from None

    def value(self, answer):
        if "raise" in answer:
            raise exception_of(**answer["raise"])
        if "instance" in answer:
            made = object.__new__(self.classes[answer["instance"]["class"]])
            made.__dict__.update(answer["instance"]["fields"])
            return made
        return answer["value"]

    async def promise(self, number):
        import asyncio

        future = asyncio.get_running_loop().create_future()
        self.promised[number] = future
        try:
            return self.value(await future)
        finally:
            self.promised.pop(number, None)

    def keep(self, kept):
        for number, answer in kept:
            future = self.promised.pop(number, None)
            if future is not None and not future.done():
                future.set_result(answer)

    def place(self, frame):
        """The byte of the procedure's code at which the call begins; where it comes by a detour, at which that line does."""
        is_direct = True
        while frame is not None and frame.f_code.co_filename != SOURCE_NAME:
            frame, is_direct = frame.f_back, False
        if frame is None or frame.f_lineno > len(self.offsets):
            return -1
        if is_direct:
            line, _, column, _ = list(frame.f_code.co_positions())[frame.f_lasti // 2]
            if line is not None and column is not None and line <= len(self.offsets):
                return self.offsets[line - 1] + column
        return self.offsets[frame.f_lineno - 1]

    def module(self, definitions):
        module = types.ModuleType("repertoire", definitions["doc"])
        for definition in definitions["classes"]:
            self.classes[definition["name"]] = made = self.result_class(**definition)
            setattr(module, definition["name"], made)
        for definition in definitions["functions"]:
            setattr(module, definition["name"], self.function(**definition))
        module.__all__ = [it["name"] for it in definitions["classes"] + definitions["functions"]]
        return module

    def function(self, name, signature, doc):
        def function(*args, **kwargs):
            return self.call(name, args, kwargs, sys._getframe(1))

        function.__name__ = function.__qualname__ = name
        function.__module__ = "repertoire"
        function.__doc__ = f"{signature}\n\n{doc}"
        return function

    def result_class(self, name, fields):
        def init(self, **given):
            for field in fields:
                setattr(self, field, given.pop(field))
            if given:
                raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(given))}'")

        def wait(self):
            return self
            yield

        def text(self):
            return f"{name}({', '.join(f'{field}={getattr(self, field, None)!r}' for field in fields)})"

        def equal(self, other):
            return type(self) is type(other) and vars(self) == vars(other)

        members = {"__init__": init, "__await__": wait, "__repr__": text, "__eq__": equal, "__hash__": None}
        return type(name, (), {**members, "__module__": "repertoire", "__match_args__": tuple(fields)})


def exception_of(kind, message):
    made = getattr(builtins, kind, None)
    if not (isinstance(made, type) and issubclass(made, BaseException)):
        made = RuntimeError
    if made is KeyError and len(message) > 1 and message[0] == message[-1] == "'":
        message = message[1:-1]
    try:
        return made(message)
    except Exception:
        return RuntimeError(message)
