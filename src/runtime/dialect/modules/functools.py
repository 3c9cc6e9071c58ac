def wraps(wrapped, assigned=(), updated=()):
    # Functions have no attributes here that could be passed on.
    return lambda wrapper: wrapper


def update_wrapper(wrapper, wrapped, assigned=(), updated=()):
    return wrapper
