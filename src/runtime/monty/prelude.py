_round = round


def round(number, ndigits=None):
    if ndigits is None:
        return _round(number)
    if not isinstance(number, float) or not isinstance(ndigits, int) or number - number != 0.0 or ndigits > 400:
        return _round(number, ndigits)
    if ndigits >= 0:
        return float(f"{number:.{ndigits}f}")
    if ndigits < -330:
        return number * 0.0
    step = 10**-ndigits
    size = abs(number)
    whole = int(size)
    below = whole // step * step
    twice = (whole - below) * 2
    is_up = twice > step or (twice == step and (size > whole or below // step % 2 == 1))
    rounded = float(below + step if is_up else below)
    return -rounded if number < 0 or (number == 0 and str(number)[0] == "-") else rounded
