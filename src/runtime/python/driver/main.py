# From the program to how it ended.

SOURCE_NAME = "procedure.py"
MOST_FRAMES = 12
MOST_MESSAGE = 4000


class AfterImport:
    """Does something with a module as soon as it is imported, by whomever."""

    def __init__(self, after):
        self.after = after

    def find_spec(self, name, path=None, target=None):
        if name not in self.after:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                execute, after = spec.loader.exec_module, self.after[name]

                class Loader:
                    create_module = spec.loader.create_module

                    @staticmethod
                    def exec_module(module):
                        execute(module)
                        after(module)

                spec.loader = Loader
                return spec
        return None


def cut(text):
    return text if len(text) <= MOST_MESSAGE else f"{text[:MOST_MESSAGE]}… ({len(text) - MOST_MESSAGE} characters more)"


def message_of(error):
    try:
        return cut(str(error))
    except Exception:
        return ""


def traceback_of(error, lines, code_lines):
    frames = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == SOURCE_NAME and trace.tb_lineno <= code_lines:
            frames.append((trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    text = ["Traceback (most recent call last):\n"] if frames else []
    left_out = len(frames) - MOST_FRAMES
    for index, (line, name) in enumerate(frames):
        if left_out > 0 and index == MOST_FRAMES // 2:
            text.append(f"  … {left_out} more frames …\n")
        if left_out > 0 and MOST_FRAMES // 2 <= index < MOST_FRAMES // 2 + left_out:
            continue
        text.append(f'  File "{SOURCE_NAME}", line {line}, in {name}\n')
        if line <= len(lines) and lines[line - 1].strip():
            text.append(f"    {cut(lines[line - 1].strip())}\n")
    message = message_of(error)
    text.append(type(error).__name__ + (f": {message}" if message else ""))
    return "".join(text)


def compiled(source):
    """The program, and its last expression, whose value is the result."""
    import _ast

    tree = compile(source, SOURCE_NAME, "exec", 0x400, dont_inherit=True)
    last = None
    if tree.body and isinstance(tree.body[-1], _ast.Expr):
        last = _ast.Expression(tree.body.pop().value)
        last = compile(last, SOURCE_NAME, "eval", dont_inherit=True)
    return compile(tree, SOURCE_NAME, "exec", dont_inherit=True), last


def limit(limits):
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, value in (("RLIMIT_DATA", limits["memory_bytes"]), ("RLIMIT_FSIZE", limits["file_bytes"])):
        kind = getattr(resource, name, None)
        hard = resource.RLIM_INFINITY if kind is None else resource.getrlimit(kind)[1]
        if kind is not None and value and (hard == resource.RLIM_INFINITY or value < hard):
            resource.setrlimit(kind, (value, value))


def warm_up():
    """Does ahead what takes long the first time."""
    compiled("None")
    try:
        import resource
    except ImportError:
        pass


def own_imports(host, module, namespace):
    """The builtins of the code: an import gives it the clock of the run."""
    real, own = builtins.__import__, {}

    def sleep(seconds):
        host.call("time.sleep", [seconds], {}, sys._getframe(1))

    makers = {"time": lambda found: own_time(found, sleep), "datetime": own_datetime}

    def imports(name, globals=None, locals=None, fromlist=(), level=0):
        found = chance.apart(f"import {name}", lambda: real(name, globals, locals, fromlist, level))
        if name not in makers or level:
            return found
        if name not in own:
            own[name] = makers[name](found)
        return own[name]

    return {**vars(builtins), "__import__": imports}


def execute(wire, order):
    name = "__main__" if order["is_script"] else "procedure"
    host = Host(wire, {name, "repertoire"})
    source = order["source"]
    host.offsets, host.code_lines = [0], order["code_lines"]
    for line in source.encode().split(b"\n"):
        host.offsets.append(host.offsets[-1] + len(line) + 1)
    host.argument_bytes, host.replayed = order["limits"]["argument_bytes"], order["replayed"]
    clock.begin(order["clock"])
    clock.is_replaying = host.is_replaying
    chance.seed = bytes.fromhex(order["seed"])
    os.urandom = chance.bytes
    after = {
        "random": seed_random,
        "numpy.random": seed_numpy,
        "asyncio": lambda module: patch_asyncio(module, host),
    }
    sys.meta_path.insert(0, AfterImport(after))
    for loaded in sorted(after.keys() & sys.modules.keys()):
        after[loaded](sys.modules[loaded])
    sys.modules["repertoire"] = host.module(order["module"])
    procedure = types.ModuleType(name)
    sys.modules[name] = procedure
    procedure.parameters = order["parameters"]
    procedure.__builtins__ = own_imports(host, procedure, vars(procedure))
    procedure.__file__ = SOURCE_NAME
    sys.argv = [SOURCE_NAME]
    limit(order["limits"])
    lines = source.split("\n")[: order["code_lines"]]
    try:
        program, last = compiled(source)
        namespace = vars(procedure)
        exec(program, namespace)
        result = None if last is None else eval(last, namespace)
        value = Form("result", order["limits"]["result_bytes"], host.own_modules).of(result)
        return host, {"t": "end", "value": value}
    except Refused as refused:
        if refused.why != "value":
            return host, {"t": "refused", "why": refused.why, "message": refused.message}
        return host, raised(refused.kind, refused.message, f"{refused.kind}: {refused.message}")
    except SystemExit as leaving:
        if leaving.code in (None, 0):
            return host, {"t": "end", "value": None}
        return host, raised("SystemExit", message_of(leaving), traceback_of(leaving, lines, order["code_lines"]))
    except BaseException as error:
        trace = traceback_of(error, lines, order["code_lines"])
        is_memory = isinstance(error, MemoryError)
        return host, raised(type(error).__name__, message_of(error), trace, is_memory)


def raised(kind, message, traceback, is_memory=False):
    return {"t": "raise", "kind": kind, "message": message, "traceback": traceback, "memory": is_memory}


def run():
    wire = Wire()
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = io.TextIOWrapper(Printer(wire, descriptor), "utf-8", "backslashreplace", "\n", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.stdin = sys.__stdin__ = open(os.devnull)
    wire.send({"t": "ready", "version": sys.version_info[:3]})
    order = wire.receive()
    while "imports" in order:
        warm_up()
        for name in order["imports"]:
            try:
                __import__(name)
            except BaseException:
                pass
        order = wire.receive()
    threading.Thread(target=wire.watch, daemon=True).start()
    host, end = execute(wire, order)
    wire.settle()
    end["reads"] = clock.take()
    with wire.lock:
        wire.send(end)
        # Until it is ended, the host can see what it did.
        wire.wait_for_end()


run()
