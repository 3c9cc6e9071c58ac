

def _repertoire_isinstance(isinstance=isinstance, tuple=tuple, kind=type(_repertoire_collections_abc.Mapping)):
    def is_one(value, kinds, /):
        if isinstance(kinds, kind):
            return kinds.has(value)
        if isinstance(kinds, tuple):
            for each in kinds:
                if is_one(value, each):
                    return True
            return False
        return isinstance(value, kinds)

    return is_one


isinstance = _repertoire_isinstance()
