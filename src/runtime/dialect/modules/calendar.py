import datetime

MONDAY = 0
TUESDAY = 1
WEDNESDAY = 2
THURSDAY = 3
FRIDAY = 4
SATURDAY = 5
SUNDAY = 6
JANUARY = 1
FEBRUARY = 2
day_name = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
day_abbr = [name[:3] for name in day_name]
month_name = [
    "",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
month_abbr = [name[:3] for name in month_name]
_days = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def isleap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def leapdays(y1, y2):
    y1 -= 1
    y2 -= 1
    return (y2 // 4 - y1 // 4) - (y2 // 100 - y1 // 100) + (y2 // 400 - y1 // 400)


def weekday(year, month, day):
    if not 1 <= year <= 9999:
        year = 2000 + year % 400
    return datetime.date(year, month, day).weekday()


def monthrange(year, month):
    if not 1 <= month <= 12:
        raise ValueError(f"bad month number {month!r}; must be 1-12")
    return weekday(year, month, 1), _days[month] + (month == FEBRUARY and isleap(year))


def monthcalendar(year, month):
    first, size = monthrange(year, month)
    days = [0] * first + list(range(1, size + 1))
    days += [0] * (-len(days) % 7)
    return [days[at : at + 7] for at in range(0, len(days), 7)]


def timegm(tuple):
    year, month, day, hour, minute, second = tuple[:6]
    days = (datetime.date(year, month, 1) - datetime.date(1970, 1, 1)).days + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second
