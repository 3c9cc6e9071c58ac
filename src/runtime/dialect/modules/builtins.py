IOError = OSError
EnvironmentError = OSError
_functions = ("function", "builtin_function_or_method", "method", "type", "partial", "_lru_cache_wrapper")


def callable(obj, /):
    return type(obj).__name__ in _functions or hasattr(obj, "__call__")
