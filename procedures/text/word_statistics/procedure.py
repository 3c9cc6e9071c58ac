"""Counts what a text is made of."""

import re

_COMMON = (
    "a about after all also an and any are as at be been but by can could did do does for from had has have he her his "
    "how i if in into is it its just me more my no not of on one or our out over she should so some than that the "
    "their them then there these they this to up us was we were what when where which who will with would you your"
).split()


def word_statistics(text: str, top: int = 10, words_per_minute: int = 200) -> dict[str, object]:
    """Count words, sentences and paragraphs, and estimate the reading time; list the most frequent words.

    Args:
        text: The text, in any language that puts spaces between words.
        top: How many of the most frequent words to list; common English words are left out there.
        words_per_minute: The reading speed.

    Returns:
        `summary`, `words`, `distinct_words`, `characters`, `characters_without_spaces`, `lines`, `sentences`,
        `paragraphs`, `average_word_length`, `average_sentence_length` (in words), `longest_sentence` (`words`,
        `text`), `reading_seconds` and `top_words` (each `word`, `count`).

    Raises:
        ValueError: `top` is negative or `words_per_minute` not positive.
    """
    if top < 0 or words_per_minute < 1:
        raise ValueError("`top` must be 0 or more and `words_per_minute` at least 1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pattern = re.compile(r"\w+(?:['’.-]\w+)*")
    words = pattern.findall(text)
    frequency: dict[str, int] = {}
    for word in words:
        lower = word.lower()
        frequency[lower] = frequency.get(lower, 0) + 1
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    sentences: list[tuple[int, str]] = []
    for paragraph in paragraphs:
        marked = re.sub(r"([.!?…][\"'”’)\]]*)\s+", "\\1\x00", paragraph)
        for sentence in marked.split("\x00"):
            length = len(pattern.findall(sentence))
            if length:
                sentences.append((length, " ".join(sentence.split())))
    longest = (0, "")
    for length, sentence in sentences:
        if length > longest[0]:
            longest = (length, sentence)

    ranked = sorted(
        [(word, number) for word, number in frequency.items() if word not in _COMMON],
        key=lambda pair: (-pair[1], pair[0]),
    )
    seconds = (len(words) * 60 + words_per_minute - 1) // words_per_minute
    word_length = sum([len(word) for word in words]) / len(words) if words else 0.0
    sentence_length = len(words) / len(sentences) if sentences else 0.0
    reading = f"{seconds} s" if seconds < 90 else f"{(seconds + 30) // 60} min"
    counts = [(len(words), "word"), (len(sentences), "sentence"), (len(paragraphs), "paragraph")]
    counted = ", ".join([f"{number} {noun}" if number == 1 else f"{number} {noun}s" for number, noun in counts])
    return {
        "summary": f"{counted}; about {reading} to read.",
        "words": len(words),
        "distinct_words": len(frequency),
        "characters": len(text),
        "characters_without_spaces": len("".join(text.split())),
        "lines": len(text.rstrip("\n").split("\n")) if text else 0,
        "sentences": len(sentences),
        "paragraphs": len(paragraphs),
        "average_word_length": float(f"{word_length:.2f}"),
        "average_sentence_length": float(f"{sentence_length:.2f}"),
        "longest_sentence": {"words": longest[0], "text": longest[1][:300]},
        "reading_seconds": seconds,
        "top_words": [{"word": word, "count": number} for word, number in ranked[:top]],
    }
