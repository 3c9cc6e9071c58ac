import math
from decimal import Decimal

# A class of errors of one's own can't be made.
StatisticsError = ValueError


def _ratio(x):
    # A number as numerator and denominator, exactly; the denominator of a float is a power of two.
    if isinstance(x, int):
        return int(x), 1
    if isinstance(x, float):
        if x - x != 0.0:
            return x, None
        part, power = math.frexp(x)
        whole = int(part * 9007199254740992.0)
        power -= 53
        if power >= 0:
            return whole << power, 1
        while power < 0 and whole % 2 == 0:
            whole //= 2
            power += 1
        return whole, 1 << -power
    raise TypeError(f"can't convert type '{type(x).__name__}' to numerator/denominator")


def _sum(data):
    # The exact sum, as a ratio, with the number of values; `None` in the place of the denominator where it is no number.
    count = 0
    parts = {}
    odd = None
    for x in data:
        count += 1
        top, bottom = _ratio(x)
        if bottom is None:
            odd = top if odd is None else odd + top
        else:
            parts[bottom] = parts.get(bottom, 0) + top
    if odd is not None:
        return odd, None, count
    bottom = max(parts, default=1)
    top = sum([part * (bottom // size) for size, part in parts.items()])
    return top, bottom, count


def _values(data):
    values = list(data)
    if any([isinstance(x, Decimal) for x in values]):
        return values, "decimal"
    if all([isinstance(x, int) for x in values]):
        return values, "int"
    return values, "float"


def _as_kind(top, bottom, kind):
    if kind == "int" and top % bottom == 0:
        return top // bottom
    return top / bottom


def mean(data):
    values, kind = _values(data)
    if not values:
        raise StatisticsError("mean requires at least one data point")
    if kind == "decimal":
        return sum(values) / Decimal(len(values))
    top, bottom, count = _sum(values)
    if bottom is None:
        return top
    return _as_kind(top, bottom * count, kind)


def fmean(data, weights=None):
    values = [float(x) for x in data]
    if weights is None:
        if not values:
            raise StatisticsError("fmean requires at least one data point")
        return math.fsum(values) / len(values)
    weights = [float(x) for x in weights]
    if len(values) != len(weights):
        raise StatisticsError("data and weights must be the same length")
    total = math.fsum(weights)
    if not total:
        raise StatisticsError("sum of weights must be non-zero")
    return math.sumprod(values, weights) / total


def geometric_mean(data):
    total = []
    has_zero = False
    for x in data:
        x = float(x)
        if x > 0.0 or x != x:
            total.append(math.log(x))
        elif x == 0.0:
            has_zero = True
            total.append(0.0)
        else:
            raise StatisticsError("No negative inputs allowed")
    if not total:
        raise StatisticsError("Must have a non-empty dataset")
    if any([x != x for x in total]):
        return math.nan
    if has_zero:
        return math.nan if math.inf in total else 0.0
    return math.exp(math.fsum(total) / len(total))


def harmonic_mean(data, weights=None):
    values, kind = _values(data)
    if not values:
        raise StatisticsError("harmonic_mean requires at least one data point")
    if len(values) == 1 and weights is None:
        if values[0] < 0:
            raise StatisticsError("harmonic mean does not support negative values")
        return values[0]
    if weights is None:
        weights = [1] * len(values)
    weights = list(weights)
    if len(weights) != len(values):
        raise StatisticsError("Number of weights does not match data size")
    total_weight, size, _ = _sum(weights)
    shares = []
    for weight, x in zip(weights, values):
        if x < 0 or weight < 0:
            raise StatisticsError("harmonic mean does not support negative values")
        if weight and x == 0:
            return 0
        shares.append(weight / x if weight else 0)
    top, bottom, count = _sum(shares)
    if top <= 0:
        raise StatisticsError("Weighted sum must be positive")
    return (total_weight * bottom) / (size * top)


def median(data):
    data = sorted(data)
    n = len(data)
    if n == 0:
        raise StatisticsError("no median for empty data")
    if n % 2 == 1:
        return data[n // 2]
    return (data[n // 2 - 1] + data[n // 2]) / 2


def median_low(data):
    data = sorted(data)
    n = len(data)
    if n == 0:
        raise StatisticsError("no median for empty data")
    return data[(n - 1) // 2]


def median_high(data):
    data = sorted(data)
    n = len(data)
    if n == 0:
        raise StatisticsError("no median for empty data")
    return data[n // 2]


def median_grouped(data, interval=1.0):
    data = sorted(data)
    n = len(data)
    if n == 0:
        raise StatisticsError("no median for empty data")
    x = data[n // 2]
    below = len([value for value in data if value < x])
    same = len([value for value in data if value == x])
    interval = float(interval)
    lower = float(x) - interval / 2.0
    return lower + interval * (n / 2 - below) / same


def multimode(data):
    counts = {}
    for x in data:
        counts[x] = counts.get(x, 0) + 1
    most = max(counts.values(), default=0)
    return [x for x, count in counts.items() if count == most]


def mode(data):
    modes = multimode(data)
    if not modes:
        raise StatisticsError("no mode for empty data")
    return modes[0]


def _squares(values, center):
    # The exact sum of the squares of the distances to the mean, or to another center.
    top, bottom, count = _sum(values)
    if bottom is None:
        return math.nan, None, count
    ratios = [_ratio(x) for x in values]
    scale = max([size for _, size in ratios], default=1)
    whole = [part * (scale // size) for part, size in ratios]
    if center is None:
        first = sum(whole)
        squares = count * sum([x * x for x in whole]) - first * first
        return squares, count * scale * scale, count
    top, bottom, _ = _sum([(x - center) * (x - center) for x in values])
    return top, bottom, count


def _decimal_squares(values, center):
    if center is None:
        center = sum(values) / Decimal(len(values))
    return sum([(x - center) * (x - center) for x in values])


def variance(data, xbar=None):
    values, kind = _values(data)
    if len(values) < 2:
        raise StatisticsError("variance requires at least two data points")
    if kind == "decimal":
        return _decimal_squares(values, xbar) / Decimal(len(values) - 1)
    top, bottom, count = _squares(values, xbar)
    if bottom is None:
        return top
    return _as_kind(top, bottom * (count - 1), "float" if isinstance(xbar, float) else kind)


def pvariance(data, mu=None):
    values, kind = _values(data)
    if not values:
        raise StatisticsError("pvariance requires at least one data point")
    if kind == "decimal":
        return _decimal_squares(values, mu) / Decimal(len(values))
    top, bottom, count = _squares(values, mu)
    if bottom is None:
        return top
    return _as_kind(top, bottom * count, "float" if isinstance(mu, float) else kind)


def _root(top, bottom):
    # The square root of a ratio, rounded once: of whole numbers with enough digits, the last of which says if there is more.
    if top == 0:
        return 0.0
    size = len(bin(top)) - len(bin(bottom))
    shift = (109 - size) // 2 + 2
    if shift >= 0:
        scaled = (top << (2 * shift)) // bottom
        exact = (top << (2 * shift)) % bottom == 0
    else:
        scaled = top // (bottom << (-2 * shift))
        exact = top % (bottom << (-2 * shift)) == 0
    root = math.isqrt(scaled)
    if not exact or root * root != scaled:
        root = root | 1
    return root / (1 << shift) if shift >= 0 else float(root << -shift)


def stdev(data, xbar=None):
    values, kind = _values(data)
    if len(values) < 2:
        raise StatisticsError("stdev requires at least two data points")
    if kind == "decimal":
        return variance(values, xbar).sqrt()
    top, bottom, count = _squares(values, xbar)
    return top if bottom is None else _root(top, bottom * (count - 1))


def pstdev(data, mu=None):
    values, kind = _values(data)
    if not values:
        raise StatisticsError("pstdev requires at least one data point")
    if kind == "decimal":
        return pvariance(values, mu).sqrt()
    top, bottom, count = _squares(values, mu)
    return top if bottom is None else _root(top, bottom * count)


def quantiles(data, *, n=4, method="exclusive"):
    if n < 1:
        raise StatisticsError("n must be at least 1")
    data = sorted(data)
    size = len(data)
    if size < 2:
        if size == 1:
            return data * (n - 1)
        raise StatisticsError("must have at least one data point")
    cuts = []
    if method == "inclusive":
        span = size - 1
        for i in range(1, n):
            j, delta = divmod(i * span, n)
            cuts.append((data[j] * (n - delta) + data[j + 1] * delta) / n)
        return cuts
    if method == "exclusive":
        span = size + 1
        for i in range(1, n):
            j = min(max(i * span // n, 1), size - 1)
            delta = i * span - j * n
            cuts.append((data[j - 1] * (n - delta) + data[j] * delta) / n)
        return cuts
    raise ValueError(f"Unknown method: {method!r}")


def covariance(x, y, /):
    n = len(x)
    if len(y) != n:
        raise StatisticsError("covariance requires that both inputs have same number of data points")
    if n < 2:
        raise StatisticsError("covariance requires at least two data points")
    x_mean, y_mean = math.fsum(x) / n, math.fsum(y) / n
    return math.sumprod([each - x_mean for each in x], [each - y_mean for each in y]) / (n - 1)


def _ranks(data):
    order = sorted([(value, at) for at, value in enumerate(data)])
    ranks = [0.0] * len(order)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and order[end][0] == order[start][0]:
            end += 1
        for _, at in order[start:end]:
            ranks[at] = (start + end + 1) / 2
        start = end
    return ranks


def correlation(x, y, /, *, method="linear"):
    n = len(x)
    if len(y) != n:
        raise StatisticsError("correlation requires that both inputs have same number of data points")
    if n < 2:
        raise StatisticsError("correlation requires at least two data points")
    if method not in ("linear", "ranked"):
        raise ValueError(f"Unknown method: {method!r}")
    if method == "ranked":
        start = (n - 1) / 2 + 1
        x = [each - start for each in _ranks(x)]
        y = [each - start for each in _ranks(y)]
    else:
        x_mean, y_mean = math.fsum(x) / n, math.fsum(y) / n
        x = [each - x_mean for each in x]
        y = [each - y_mean for each in y]
    both = math.sumprod(x, y)
    x_squares, y_squares = math.sumprod(x, x), math.sumprod(y, y)
    if not x_squares * y_squares:
        raise StatisticsError("at least one of the inputs is constant")
    x_top, x_bottom = _ratio(x_squares)
    y_top, y_bottom = _ratio(y_squares)
    return both / _root(x_top * y_top, x_bottom * y_bottom)


def linear_regression(x, y, /, *, proportional=False):
    from collections import namedtuple

    n = len(x)
    if len(y) != n:
        raise StatisticsError("linear regression requires that both inputs have same number of data points")
    if n < 2:
        raise StatisticsError("linear regression requires at least two data points")
    if not proportional:
        x_mean, y_mean = math.fsum(x) / n, math.fsum(y) / n
        x = [each - x_mean for each in x]
        y = [each - y_mean for each in y]
    both = math.sumprod(x, y) + 0.0
    squares = math.sumprod(x, x)
    if not squares:
        raise StatisticsError("x is constant")
    slope = both / squares
    intercept = 0.0 if proportional else y_mean - slope * x_mean
    return namedtuple("LinearRegression", ["slope", "intercept"])(slope=slope, intercept=intercept)
