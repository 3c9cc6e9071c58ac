if __name__ == "__main__":
    import asyncio as _asyncio
    import inspect as _inspect
    import json as _json
    import sys as _sys

    def _value(text):
        try:
            return _json.loads(text)
        except ValueError:
            return text

    if {"-h", "--help"} & set(_sys.argv[1:]) or any("=" not in word for word in _sys.argv[1:]):
        print(f"parameters: {_inspect.signature(ENTRY)}, each as NAME=VALUE")
        _sys.exit(0 if {"-h", "--help"} & set(_sys.argv[1:]) else 2)
    _result = ENTRY(**{_name: _value(_text) for _name, _text in (_word.split("=", 1) for _word in _sys.argv[1:])})
    if _inspect.isawaitable(_result):

        async def _wait(_awaited=_result):
            return await _awaited

        _result = _asyncio.run(_wait())
    if _result is not None:
        print(_result if isinstance(_result, str) else _json.dumps(_result, ensure_ascii=False, default=str))
