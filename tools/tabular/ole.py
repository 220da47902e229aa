"""The container in which Office kept its files before 2007 ([MS-CFB]).

``xlrd`` follows chains of sectors without end when they loop. This reader takes out the one stream that a
workbook needs, never more of it than the file holds.
"""

import struct

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER = struct.Struct("<8s16sHHHHH6x9I")
_ENTRY = struct.Struct("<64sHBBIII16sIQQIQ")
# Sector numbers from here on stand for "end of chain", "free" and the like.
_LAST_SECTOR = 0xFFFFFFFA


class OleError(Exception):
    """The container is damaged."""


class OleFile:
    """The streams of a container.

    :param bytes content: of the file.
    :raises OleError: when it is damaged.
    """

    def __init__(self, content):
        self.content = content
        if len(content) < 512:
            raise OleError("shorter than its header")
        header = _HEADER.unpack_from(content)
        sector_shift, mini_shift = header[5:7]
        directory, self.mini_cutoff, mini_fat, next_table = header[9], header[11], header[12], header[14]
        if header[0] != SIGNATURE or sector_shift not in (9, 12) or mini_shift != 6:
            raise OleError("unusual header")
        self.sector_size = 1 << sector_shift
        self.sector_count = -(-len(content) // self.sector_size)
        self._read_table(next_table)
        self.entries = self._read_directory(self._read_chain(directory))
        self.mini_table = self._numbers(self._read_chain(mini_fat)) if mini_fat < _LAST_SECTOR else []
        self.mini_stream = None

    @staticmethod
    def _numbers(data):
        return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

    def _sector(self, number):
        start = (number + 1) * self.sector_size
        return self.content[start : start + self.sector_size]

    def _read_table(self, next_table):
        """Read which sector follows which."""
        numbers = list(self._numbers(self.content[76:512]))
        seen = set()
        while next_table < _LAST_SECTOR:
            if next_table in seen or next_table >= self.sector_count:
                raise OleError("the list of tables loops")
            seen.add(next_table)
            *more, next_table = self._numbers(self._sector(next_table)) or (_LAST_SECTOR,)
            numbers += more
        parts = []
        for number in numbers:
            if number < min(_LAST_SECTOR, self.sector_count):
                if len(parts) > self.sector_count:
                    raise OleError("more tables than sectors")
                parts.append(self._sector(number))
        self.table = self._numbers(b"".join(parts))

    def _read_chain(self, start, size=None):
        parts, seen, number = [], set(), start
        while number < _LAST_SECTOR:
            if number in seen or number >= self.sector_count or number >= len(self.table):
                raise OleError("a chain of sectors loops or leads out of the file")
            seen.add(number)
            parts.append(self._sector(number))
            number = self.table[number]
        return b"".join(parts)[:size]

    def _read_directory(self, data):
        entries = {}
        self.root = None
        for offset in range(0, len(data) - _ENTRY.size + 1, _ENTRY.size):
            name, length, kind, *_links, start, size = _ENTRY.unpack_from(data, offset)
            text = name[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            # Version 3 uses the lower half of the size.
            size = size & 0xFFFFFFFF if self.sector_size == 512 else size
            if kind == 5 and self.root is None:
                self.root = (start, size)
            elif kind in (1, 2):
                entries.setdefault(text, (kind, start, size))
        return entries

    def read_stream(self, name):
        """Return the content of a stream.

        :raises OleError: when there is none, or its parts can't be found.
        """
        kind, start, size = self.entries.get(name, (0, 0, 0))
        if kind != 2 or size > len(self.content):
            raise OleError("no such stream")
        if size >= self.mini_cutoff:
            return self._read_chain(start, size)
        if self.mini_stream is None:
            if self.root is None:
                raise OleError("no root")
            self.mini_stream = self._read_chain(self.root[0], self.root[1])
        parts, seen, number = [], set(), start
        while number < _LAST_SECTOR:
            if number in seen or number >= len(self.mini_table) or number * 64 >= len(self.mini_stream):
                raise OleError("a chain of short sectors loops or leads out of the file")
            seen.add(number)
            parts.append(self.mini_stream[number * 64 : number * 64 + 64])
            number = self.mini_table[number]
        return b"".join(parts)[:size]
