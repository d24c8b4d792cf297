"""Makes a script small: takes out what is not needed for the same kind of verdict, by text alone."""
import re
import time


def blocks(lines):
    """Ranges of lines that belong together: a call over several lines, or one line."""
    k = 0
    while k < len(lines):
        end = k
        if lines[k].endswith("("):
            close = re.match(" *", lines[k]).group() + ")"
            while end < len(lines) - 1 and lines[end] != close:
                end += 1
        yield k, end + 1
        k = end + 1


def without(lines):
    """Smaller scripts, the much smaller ones first."""
    names = [(m.group(1), a, b) for a, b in blocks(lines) if (m := re.match(r" *(\w+) = ", lines[a]))]
    for name, a, b in names:
        gone = set(range(a, b))
        listed = re.compile(rf"(?<=[(,]) ?{name}(?=[,)])(?:,(?= ))?")
        kept = {}
        for c, d in blocks(lines):
            if re.search(r"(Network|\.add)\(", lines[c]):
                kept[c] = re.sub(r", *\)", ")", listed.sub("", lines[c]).replace("( ", "("))
                if "add()" in kept[c]:
                    gone.add(c)
            elif re.search(rf"\b{name}\b", lines[c]) or any(re.fullmatch(rf" *{name}(\[[\d:]*\])?,", x) for x in lines[c:d]):
                gone |= set(range(c, d))
        yield [kept.get(k, x) for k, x in enumerate(lines) if k not in gone]
    for a, b in blocks(lines):
        yield lines[:a] + lines[b:]
    for k in range(len(lines)):
        yield lines[:k] + lines[k + 1:]
    for k, x in enumerate(lines):
        for m in re.finditer(r"[^;']+; |; [^;']+(?=')|, '\w+'(?=[,\]])|(?<=\[)'\w+', |, '\w': '[^']*'|'\w': '[^']*', |, record=\[[^\]]*\]| and [^']+(?=')", x):
            yield lines[:k] + [x[:m.start()] + (", record=True" if "record" in m.group() else "") + x[m.end():]] + lines[k + 1:]


def shrink(src, same, seconds):
    """same(src) says whether a smaller script still shows the same kind of verdict."""
    end = time.time() + seconds
    lines, again, tried = src.rstrip("\n").split("\n"), True, set()
    while again and time.time() < end:
        again, skip = False, 0
        for k, fewer in enumerate(without(lines)):
            text = "\n".join(fewer) + "\n"
            if text in tried:
                continue
            tried.add(text)
            if time.time() > end:
                break
            if same(text):
                lines, again = fewer, True
                break
    return "\n".join(lines) + "\n"
