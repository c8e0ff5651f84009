"""What the files of videos are called, for people and to be found again by the id of their job, and which are there.

`20261126-fox-trots-through-fresh-snow-s7-<request id>.mp4`, and `...-2.mp4` for the second video of a job. Earlier
versions wrote `<request id>.mp4`.
"""

from __future__ import annotations

import os
import re
import time
import unicodedata
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Final

from ..files import is_missing
from ..runcomfy.request import is_request_id
from ..video.errors import VideoError
from ..video.file_format import check_mp4
from .decide import Disk
from .records import JobRecord, hash_of

TEXT_LETTERS: Final = 40
TEXT_BYTES: Final = 60
"""Of a text in UTF-8. So even the name of the unfinished file has less than 143 bytes, the limit in an encrypted folder
of a network drive."""
MAX_NAME: Final = 8 + 1 + TEXT_LETTERS + 1 + len("s2147483647") + 1 + 36 + len("-16.mp4")
"""Letters of the longest name of a job with an id like RunComfy's."""
LINK_PREFIX: Final = "link-"
"""Of the names of videos that came from a link of the user's, and so have no request id."""

_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NUMBER: Final = "(?:-([2-9]|1[0-6]))?"
"""Of a job's second and further videos."""
_READ_LETTERS: Final = 1000
"""Of a text that are looked at; a name holds only its beginning."""
_CATEGORIES: Final = "LMN"
"""Unicode's letters, marks and digits."""
_DROPPED: Final = re.compile("['’\u20e3\ufe00-\ufe0f]")
"""What is inside a word and not of it: apostrophes, and how an emoji is to be drawn."""


def file_names(record: JobRecord, count: int, now: float) -> tuple[str, ...]:
    """What the files of a job's videos are called: as it is written down already, else by its day, text, seed and id.
    A job that this journal does not know is of the day that it is ``now``, in seconds since the epoch."""
    day = time.strftime("%Y%m%d", time.localtime(record.created or now))
    asked = (text_in_name(record.request.text), f"s{record.request.seed}") if record.request else ()
    stem = "-".join(part for part in (day, *asked, _id_in_name(record.request_id)) if part)
    names = tuple(f"{stem}.mp4" if number == 1 else f"{stem}-{number}.mp4" for number in range(1, count + 1))
    return record.files[:count] + names[len(record.files) :]


class VideoFolder:
    """An output folder with what is in it, listed when this is made. Blocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: list[str] | None = None
        """None: it cannot be listed just now."""
        with suppress(OSError), os.scandir(folder) as entries:
            self._names = sorted(entry.name for entry in entries if not entry.name.startswith("."))

    def find(self, request_id: str) -> dict[int, list[Path]]:
        """A job's files by their names, by the number of the video from 1. Neither their content nor what stands before
        the id matters."""
        # The disk may not tell upper case from lower; it matters to ids, but not to what `_id_in_name` makes of them.
        named = re.compile(rf".*-{re.escape(_id_in_name(request_id))}{_NUMBER}\.mp4", re.IGNORECASE | re.DOTALL)
        old = re.compile(rf"{re.escape(request_id)}{_NUMBER}\.mp4")
        found: dict[int, list[Path]] = {}
        for name in self._names or ():
            # The first look is the quick one.
            if request_id.lower() in name.lower() and (match := old.fullmatch(name) or named.fullmatch(name)):
                found.setdefault(int(match[1] or 1), []).append(self.folder / name)
        return found

    def locate(self, record: JobRecord) -> tuple[Disk, tuple[Path, ...]]:
        """Whether all of a job's videos are there, and where they are, or would be."""
        expected = tuple(self.folder / name for name in file_names(record, max(1, len(record.files)), 0))
        if not record.request_id:
            return Disk.MISSING, expected
        if self._names is None:
            return max(map(disk_state, expected), key=list(Disk).index), expected
        found = self.find(record.request_id)
        best = [_best(found.get(number, []), path) for number, path in enumerate(expected, 1)]
        if not record.files:
            # How many there are is not known, so all that are there are taken for all.
            further = (_best(found[number], found[number][0]) for number in takewhile(found.__contains__, count(2)))
            best += takewhile(lambda each: each[0] is Disk.WHOLE, further)
        return max((state for state, _ in best), key=list(Disk).index), tuple(path for _, path in best)


def disk_state(file: Path) -> Disk:
    """Whether a whole video is there. Blocks."""
    try:
        check_mp4(file)
    except VideoError:
        return Disk.MISSING
    except OSError:
        return Disk.MISSING if is_missing(file) else Disk.UNREADABLE
    return Disk.WHOLE


def request_id_of(file: Path) -> str:
    """The id of the job that a file belongs to by its name; empty if it is no job's."""
    stem = re.sub(f"{_NUMBER}$", "", file.stem)
    parts = stem.split("-")
    for end in ("-".join(parts[start:]) for start in range(len(parts))):
        request_id = end.rpartition("~")[0] or end.lower()
        if _id_in_name(request_id) in (end, end.lower()):
            return request_id
    return stem if is_request_id(stem) and not stem.startswith(LINK_PREFIX) else ""


def text_in_name(text: str) -> str:
    """The first words of a prompt, in any script, with `-` between them: nothing but letters, marks and digits."""
    kept = (_letter(letter) for letter in unicodedata.normalize("NFC", _DROPPED.sub("", text[:_READ_LETTERS].lower())))
    name = ""
    for word in unicodedata.normalize("NFC", "".join(kept)).split():
        longer = f"{name}-{word}" if name else word
        if len(longer) > TEXT_LETTERS or len(longer.encode()) > TEXT_BYTES:
            # Scripts without spaces have words without end.
            return name or word[:TEXT_LETTERS].encode()[:TEXT_BYTES].decode(errors="ignore")
        name = longer
    return name


def _best(files: list[Path], expected: Path) -> tuple[Disk, Path]:
    """Of the files with the name of one video, a complete one, else where it is or would be; and its state."""
    preferred = (Disk.WHOLE, Disk.UNREADABLE, Disk.MISSING)
    states = [(disk_state(file), file) for file in files] or [(Disk.MISSING, expected)]
    return min(states, key=lambda each: (preferred.index(each[0]), each[1] != expected))


def _letter(letter: str) -> str:
    category = unicodedata.category(letter)
    # Invisible characters, such as direction marks, are left out; anything else ends a word.
    return letter if category[0] in _CATEGORIES else "" if category == "Cf" else " "


def _id_in_name(request_id: str) -> str:
    """An id as it stands in a name. RunComfy's are UUIDs; others could differ only in case, or contain each other, so a
    hash follows them."""
    unmistakable = re.fullmatch(_UUID, request_id)
    return request_id if unmistakable else f"{request_id}~{hash_of(request_id)[:8]}"
