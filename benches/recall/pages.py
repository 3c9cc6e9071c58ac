#!/usr/bin/env python3
"""Corpora for `repertoire bench recall` from pages about commands (https://github.com/tldr-pages/tldr, CC BY 4.0).

    pages.py PAGES FOLDER

`PAGES` is the folder `pages` of a checkout. Each page becomes a procedure: its name, what it is for, and its examples as steps. Of
one example, or of two where a page has five or more, the step keeps the command alone, and the sentence is a question, unless it
names the tool or has fewer than five words.

The pages are shuffled and cut into parts that share no page: `train.jsonl` (2,000, to fit weights to, with the questions of
`unrelated.txt`), `choose.jsonl` (2,000, to choose by between what was fitted) and `held-out.jsonl` (all others, up to 2,000, to
report; with the questions of `own.jsonl` that nothing fits). `…-sentences.jsonl` are the same without any commands, which is harder.
"""

import json
import random
import re
import sys
from pathlib import Path

PLATFORMS = ["common", "linux", "osx", "windows", "freebsd", "android"]
HERE = Path(__file__).parent


def clean(text):
    return re.sub(r"\[(\w)\]", r"\1", text).replace("`", "").strip().rstrip(":").strip()


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def read(pages):
    texts = {}
    for platform in PLATFORMS:
        for file in sorted((pages / platform).glob("*.md")):
            texts.setdefault(file.stem, file.read_text(encoding="utf-8"))
    for name, text in sorted(texts.items()):
        quoted = [line[2:].strip() for line in text.splitlines() if line.startswith("> ")]
        if any("alias of" in line.lower() or "This command is an alias" in line for line in quoted):
            continue
        about = [clean(line) for line in quoted if not line.startswith(("More information", "See also"))]
        examples = [(clean(about), command) for about, command in re.findall(r"^- (.*?)\n\n`(.*?)`$", text, re.M)]
        if len(examples) >= 3:
            yield name, " ".join(about), examples


def corpus(part, seed, has_commands):
    chance = random.Random(seed)
    for name, about, examples in part:
        order = list(range(len(examples)))
        chance.shuffle(order)
        is_question = [len(words(text)) >= 5 and name.lower() not in text.lower() for text, _ in examples]
        asked = [index for index in order if is_question[index]][: 2 if len(examples) >= 5 else 1]
        steps = []
        for index, (text, command) in enumerate(examples):
            command = command.replace("{{", "").replace("}}", "")
            parts = [[text] if index not in asked else [], [command] if has_commands else []]
            step = ": ".join(parts[0] + parts[1])
            steps += [step] if step else []
        name = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        yield {"procedure": {"name": name, "description": about, "category": "commands", "steps": steps}}
        for index in asked:
            yield {"question": examples[index][0], "answer": name}


def unique(lines):
    """Names that differ in signs only are one name."""
    known = set()
    for line in lines:
        if "procedure" in line:
            if line["procedure"]["name"] in known or not line["procedure"]["name"]:
                continue
            known.add(line["procedure"]["name"])
        elif line["answer"] not in known:
            continue
        yield line


def main():
    pages, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    parsed = list(read(pages))
    random.Random(0).shuffle(parsed)
    own = [json.loads(line) for line in (HERE / "own.jsonl").read_text(encoding="utf-8").splitlines() if line]
    unrelated = (HERE / "unrelated.txt").read_text(encoding="utf-8").splitlines()
    nothing_fits = {
        "train": [{"question": question, "answer": None} for question in unrelated],
        "choose": [],
        "held-out": [line for line in own if "question" in line and line["answer"] is None],
    }
    for number, (part, others) in enumerate(nothing_fits.items()):
        of_part = parsed[number * 2000 : (number + 1) * 2000]
        for suffix, has_commands in [("", True), ("-sentences", False)]:
            lines = [*unique(corpus(of_part, number, has_commands)), *others]
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (folder / f"{part}{suffix}.jsonl").write_text(text, encoding="utf-8")
            questions = sum("question" in line for line in lines)
            print(f"{part}{suffix}: {len(lines) - questions} procedures, {questions} questions")


main()
