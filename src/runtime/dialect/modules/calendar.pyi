from typing import Any

MONDAY: int
TUESDAY: int
WEDNESDAY: int
THURSDAY: int
FRIDAY: int
SATURDAY: int
SUNDAY: int
JANUARY: int
FEBRUARY: int
day_name: list[str]
day_abbr: list[str]
month_name: list[str]
month_abbr: list[str]

def isleap(year: int) -> bool: ...
def leapdays(y1: int, y2: int) -> int: ...
def weekday(year: int, month: int, day: int) -> int: ...
def monthrange(year: int, month: int) -> tuple[int, int]: ...
def monthcalendar(year: int, month: int) -> list[list[int]]: ...
def timegm(tuple: Any) -> int: ...
