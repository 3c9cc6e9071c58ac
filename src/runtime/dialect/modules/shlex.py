_safe = "%+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def quote(s):
    if not s:
        return "''"
    if all([letter in _safe for letter in s]):
        return s
    return "'" + s.replace("'", "'\"'\"'") + "'"


def join(split_command):
    return " ".join([quote(word) for word in split_command])


def split(s, comments=False, posix=True):
    if s is None:
        raise ValueError("s argument must not be None")
    if not posix:
        raise NotImplementedError("shlex.split() has only posix=True here")
    words = []
    word = None
    quoted = ""
    at = 0
    size = len(s)
    while at < size:
        letter = s[at]
        at += 1
        if quoted == "'":
            if letter == "'":
                quoted = ""
            else:
                word += letter
        elif quoted == '"':
            if letter == '"':
                quoted = ""
            elif letter == "\\":
                if at >= size:
                    raise ValueError("No escaped character")
                following = s[at]
                at += 1
                word += following if following in '"\\' else "\\" + following
            else:
                word += letter
        elif letter in " \t\r\n":
            if word is not None:
                words.append(word)
                word = None
        elif comments and letter == "#":
            # A comment ends the word that it stands behind.
            if word is not None:
                words.append(word)
                word = None
            while at < size and s[at] != "\n":
                at += 1
        elif letter in "'\"":
            quoted = letter
            word = word or ""
        elif letter == "\\":
            if at >= size:
                raise ValueError("No escaped character")
            word = (word or "") + s[at]
            at += 1
        else:
            word = (word or "") + letter
    if quoted:
        raise ValueError("No closing quotation")
    if word is not None:
        words.append(word)
    return words
