# An event loop whose clock moves only at moments that can be repeated, and that tells the host when all that is left waits for it.


def own_loop(asyncio, selectors, host):
    class Selector(selectors.DefaultSelector):
        """Is asked to wait when nothing else can go on."""

        loop = None

        def select(self, timeout=None):
            loop, host_waits = self.loop, bool(host.promised)
            if timeout is not None and timeout <= 0:
                return super().select(0)
            # What else is open, such as connections, has a moment of its own. One entry is the loop's own.
            if host_waits or len(self.get_map()) <= 1:
                ready = super().select(0.05 if len(self.get_map()) > 1 or loop.has_threads() else 0)
                if ready:
                    return ready
            if host_waits:
                self.wait(timeout)
                return super().select(0)
            if timeout is None or len(self.get_map()) > 1 or loop.has_threads():
                ready = super().select(timeout)
                loop.advance(None if ready else timeout)
                return ready
            self.nap(timeout)
            return super().select(0)

        def nap(self, timeout):
            loop = self.loop
            if timeout <= LONGEST_NAP:
                if not host.is_replaying():
                    real_time.sleep(timeout)
                loop.advance(timeout)
            else:
                loop.set_timer(timeout)
                self.wait(None)

        def wait(self, timeout):
            if timeout is not None:
                self.loop.set_timer(timeout)
            answer = host.ask({"t": "wait", "calls": sorted(host.promised)})
            host.keep(answer["kept"])
            self.loop.advance(None)

    class Loop(asyncio.SelectorEventLoop):
        def __init__(self):
            selector = Selector()
            selector.loop = self
            self.moment, self.began = 0.0, clock.now()
            self.timers = {}
            self.threads = 0
            super().__init__(selector)
            self._clock_resolution = 1e-6

        def time(self):
            return self.moment

        def advance(self, seconds):
            self.moment += seconds or 0
            if seconds is None:
                self.moment = max(self.moment, (clock.now() - self.began) / 1000)

        def has_threads(self):
            return self.threads > 0

        def run_in_executor(self, executor, function, *args):
            future = super().run_in_executor(executor, function, *args)
            self.threads += 1
            future.add_done_callback(self.thread_done)
            return future

        def thread_done(self, _):
            self.threads -= 1

        def set_timer(self, seconds):
            """Has the host wait until a moment, where it does not already."""
            due = self.moment + seconds
            if due in self.timers:
                return
            promise = host.call("asyncio.sleep", [seconds], {}, None, is_awaited=True)
            number = host.calls
            promise.close()
            future = host.promised[number] = self.create_future()
            self.timers[due] = number

            def reached(_):
                self.timers.pop(due, None)
                self.moment = max(self.moment, due)

            future.add_done_callback(reached)

    return Loop


def patch_asyncio(module, host):
    import selectors

    made = own_loop(module, selectors, host)
    module.new_event_loop = module.events.new_event_loop = made
