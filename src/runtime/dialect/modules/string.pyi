from typing import Any, Mapping

whitespace: str
ascii_lowercase: str
ascii_uppercase: str
ascii_letters: str
digits: str
hexdigits: str
octdigits: str
punctuation: str
printable: str

def capwords(s: str, sep: str | None = None) -> str: ...

class Template:
    template: str
    def __init__(self, template: str) -> None: ...
    def substitute(self, mapping: Mapping[str, object] = {}, /, **kws: object) -> str: ...
    def safe_substitute(self, mapping: Mapping[str, object] = {}, /, **kws: object) -> str: ...
    def is_valid(self) -> bool: ...
    def get_identifiers(self) -> list[str]: ...
