# The clock, and what looks random, as the code sees them: of the run, so that the code repeats itself.
#
# The clock counts milliseconds. What is read of it is told to the host with the next frame, and read again in the same order
# when the code is executed again; how often the same moment was read is counted. Packages have the clock of the system.

LONGEST_NAP = 60


class Clock:
    def __init__(self):
        self.told, self.told_at, self.fresh = [], 0, []
        self.last = 0
        self.is_replaying = lambda: False

    def begin(self, told):
        self.told = told

    def now(self):
        """Milliseconds since 1970."""
        if self.told_at < len(self.told):
            entry = self.told[self.told_at]
            entry[1] -= 1
            if entry[1] <= 0:
                self.told_at += 1
            self.last = entry[0]
            return entry[0]
        self.last = max(self.last, real_time.time_ns() // 1_000_000)
        if self.fresh and self.fresh[-1][0] == self.last:
            self.fresh[-1][1] += 1
        else:
            self.fresh.append([self.last, 1])
        return self.last

    def take(self):
        fresh, self.fresh = self.fresh, []
        return fresh


class Chance:
    """Bytes that look random and come from the seed of the run."""

    def __init__(self):
        self.seed, self.stream, self.counts = b"", "", {}

    def bytes(self, size):
        count = self.counts[self.stream] = self.counts.get(self.stream, 0) + 1
        return self.named(f"{self.stream} {count}", size)

    def named(self, name, size):
        import hashlib

        return hashlib.shake_256(self.seed + name.encode()).digest(size)

    def apart(self, name, work):
        """Does something whose draws change nothing for what is drawn afterwards: a module may be imported already."""
        before, self.stream = self.stream, name
        try:
            return work()
        finally:
            self.stream = before


clock, chance = Clock(), Chance()


def seed_random(module):
    module._urandom = chance.bytes
    module.seed(int.from_bytes(chance.named("random", 32), "big"))


def seed_numpy(module):
    module.seed(int.from_bytes(chance.named("numpy.random", 4), "big"))


def own_time(module, host_sleep):
    own = types.ModuleType("time")
    own.__dict__.update(vars(module))

    def seconds():
        return clock.now() / 1000

    def nanoseconds():
        return clock.now() * 1_000_000

    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(own, name, seconds)
        setattr(own, name + "_ns", nanoseconds)

    def of_moment(name):
        real = getattr(module, name)
        setattr(own, name, lambda seconds=None: real(clock.now() / 1000 if seconds is None else seconds))

    for name in ("localtime", "gmtime", "ctime"):
        of_moment(name)
    own.asctime = lambda moment=None: module.asctime(own.localtime() if moment is None else moment)
    own.strftime = lambda form, moment=None: module.strftime(form, own.localtime() if moment is None else moment)

    def sleep(seconds):
        if seconds > LONGEST_NAP:
            host_sleep(seconds)
        elif not clock.is_replaying():
            module.sleep(seconds)

    own.sleep = sleep
    return own


def own_datetime(module):
    own = types.ModuleType("datetime")
    own.__dict__.update(vars(module))

    def as_real(real, members):
        class Kind(type):
            def __instancecheck__(cls, value):
                return isinstance(value, real) if cls is made else type.__instancecheck__(cls, value)

            def __subclasscheck__(cls, other):
                return issubclass(other, real) if cls is made else type.__subclasscheck__(cls, other)

        def new(cls, *args, **kwargs):
            return real(*args, **kwargs) if cls is made else real.__new__(cls, *args, **kwargs)

        members = {"__new__": new, "__module__": "datetime", "__qualname__": real.__name__, **members}
        made = Kind(real.__name__, (real,), members)
        return made

    real_datetime, real_date = module.datetime, module.date

    def now(cls, tz=None):
        return cls.fromtimestamp(clock.now() / 1000, tz)

    def utcnow(cls):
        return cls.fromtimestamp(clock.now() / 1000, module.timezone.utc).replace(tzinfo=None)

    def today(cls):
        return cls.fromtimestamp(clock.now() / 1000)

    moments = {"now": classmethod(now), "utcnow": classmethod(utcnow), "today": classmethod(today)}
    own.datetime = as_real(real_datetime, moments)
    own.date = as_real(real_date, {"today": classmethod(today)})
    return own
