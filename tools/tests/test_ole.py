import struct
import unittest

from tools.tabular import ole

FREE, END, TABLE, MORE_TABLES = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC


class Container:
    """A container made by hand, part by part, so that each can be made wrong.

    :param dict streams: ``{name: content}``
    :param int size: of a sector
    """

    def __init__(self, streams, size=512):
        self.size = size
        self.sectors, self.table = [], []
        self.short, self.short_table = b"", []
        self.entries = []
        self.cutoff = 4096
        self.header = {"first_more": END, "shift": size.bit_length() - 1, "mini_shift": 6}
        self.tables_in_header = True
        self.listed = None
        self.root_is_last = False
        for name, content in streams.items():
            self.add_stream(name, content)
        self.root = (5, "Root Entry", None, None)

    def add_stream(self, name, content):
        add = self.add_chain if len(content) >= self.cutoff else self.add_short_chain
        self.entries.append([2, name, add(content), len(content)])

    def add_chain(self, content):
        start = len(self.sectors)
        parts = [content[place : place + self.size] for place in range(0, len(content), self.size)]
        for number, part in enumerate(parts, start=start + 1):
            self.sectors.append(part.ljust(self.size, b"\0"))
            self.table.append(number)
        if not parts:
            return END
        self.table[-1] = END
        return start

    def add_short_chain(self, content):
        start = len(self.short_table)
        parts = [content[place : place + 64] for place in range(0, len(content), 64)]
        for number, part in enumerate(parts, start=start + 1):
            self.short += part.ljust(64, b"\0")
            self.short_table.append(number)
        if not parts:
            return END
        self.short_table[-1] = END
        return start

    def make(self):
        """:return: the file
        :rtype: bytes
        """
        short_start, short_size = self.add_chain(self.short), len(self.short)
        if self.root:
            kind, name, start, size = self.root
            self.entries.insert(
                len(self.entries) if self.root_is_last else 0,
                [kind, name, short_start if start is None else start, short_size if size is None else size],
            )
        directory = self.add_chain(b"".join(self._entry(*entry) for entry in self.entries))
        short_table = self.add_chain(b"".join(struct.pack("<I", number) for number in self.short_table))
        more = self.header["first_more"]
        count = 1
        if not self.tables_in_header:
            more = len(self.sectors)
            self.sectors.append(None)
            self.table.append(MORE_TABLES)
        own = len(self.sectors)
        self.table.append(TABLE)
        numbers = struct.pack(f"<{len(self.table)}I", *self.table).ljust(self.size, b"\xff")
        if len(numbers) > self.size:
            raise ValueError("one table of sectors is all that this can make")
        self.sectors.append(numbers)
        listed = [own] if self.tables_in_header else []
        if self.listed:
            listed = [own if number is None else number for number in self.listed]
        if not self.tables_in_header:
            rest = [own, *[FREE] * (self.size // 4 - 2), self.header["first_more"]]
            self.sectors[more] = struct.pack(f"<{self.size // 4}I", *rest)
        head = struct.pack(
            "<8s16sHHHHH6x9I",
            ole.SIGNATURE,
            b"",
            62,
            4 if self.size == 4096 else 3,
            0xFFFE,
            self.header["shift"],
            self.header["mini_shift"],
            0,
            count,
            directory,
            0,
            self.cutoff,
            short_table,
            1,
            more,
            0 if self.tables_in_header else 1,
        )
        head += struct.pack("<109I", *listed, *[FREE] * (109 - len(listed)))
        return head.ljust(self.size, b"\0") + b"".join(self.sectors)

    @staticmethod
    def _entry(kind, name, start, size):
        text = name.encode("utf-16-le")
        return struct.pack(
            "<64sHBBIII16sIQQIQ", text, len(text) + 2, kind, 1, FREE, FREE, FREE, b"", 0, 0, 0, start, size
        )


def content_of(size):
    return bytes(number * 7 % 251 for number in range(size))


SIZES = (0, 1, 63, 64, 65, 128, 1000, 4095, 4096, 4097, 5000)


class TestOle(unittest.TestCase):
    def assertBroken(self, content, name="Workbook"):
        with self.assertRaises(ole.OleError):
            ole.OleFile(content).read_stream(name)

    def test_streams_of_all_sizes(self):
        for size in (512, 4096):
            for in_header in (True, False):
                with self.subTest(sector=size, in_header=in_header):
                    container = Container({f"S{number}": content_of(number) for number in SIZES}, size)
                    container.tables_in_header = in_header
                    file = ole.OleFile(container.make())
                    self.assertEqual(set(file.entries), {f"S{number}" for number in SIZES})
                    for number in SIZES:
                        self.assertEqual(file.read_stream(f"S{number}"), content_of(number))

    def test_no_short_streams(self):
        file = ole.OleFile(Container({"Workbook": content_of(5000)}).make())
        self.assertEqual(file.read_stream("Workbook"), content_of(5000))

    def test_names_up_to_their_end(self):
        names = ["B", "Été", "x" * 31]
        self.assertEqual(list(ole.OleFile(Container(dict.fromkeys(names, b"1")).make()).entries), names)

    def test_first_of_two_streams_with_one_name(self):
        container = Container({"Workbook": b"first"})
        container.add_stream("Workbook", b"second")
        self.assertEqual(ole.OleFile(container.make()).read_stream("Workbook"), b"first")

    def test_file_that_ends_within_its_last_sector(self):
        container = Container({"Workbook": content_of(5000)})
        whole = container.make()
        self.assertEqual(ole.OleFile(whole + b"\0" * 100).read_stream("Workbook"), content_of(5000))

    def test_table_of_sectors_that_is_cut_off(self):
        content = Container({"Workbook": content_of(20_000)}).make()
        for cut in (1, 2, 3, 200):
            self.assertEqual(ole.OleFile(content[:-cut]).read_stream("Workbook"), content_of(20_000))
        # Sectors that the file has, and its table has not.
        self.assertBroken(content[:-400])

    def test_numbers_that_end_a_chain(self):
        for number in (0xFFFFFFFA, 0xFFFFFFFC, END, FREE):
            container = Container({"Workbook": content_of(5000), "Short": content_of(190)})
            container.table[1] = container.short_table[1] = number
            file = ole.OleFile(container.make())
            self.assertEqual(file.read_stream("Workbook"), content_of(1024))
            self.assertEqual(file.read_stream("Short"), content_of(128))
        container = Container({"Workbook": content_of(5000)})
        container.table[1] = 0xFFFFFFF9
        self.assertBroken(container.make())

    def test_length_of_a_name_may_be_wrong(self):
        for length, name in ((0, ""), (1, ""), (2, ""), (4, "W"), (200, "W" * 31)):
            content = Container({"W" * 31: content_of(5000)}).make()
            place = content.index("WW".encode("utf-16-le")) + 64
            changed = content[:place] + struct.pack("<H", length) + content[place + 2 :]
            self.assertEqual(list(ole.OleFile(changed).entries), [name])

    def test_parts_in_any_order(self):
        content = content_of(190)
        container = Container({"Workbook": content})
        container.short = content[:64] + content[128:].ljust(64, b"\0") + content[64:128]
        container.short_table = [2, END, 1]
        self.assertEqual(ole.OleFile(container.make()).read_stream("Workbook"), content)

    def test_table_listed_last_in_the_header(self):
        container = Container({"Workbook": content_of(5000)})
        container.listed = [FREE] * 108 + [None]
        self.assertEqual(ole.OleFile(container.make()).read_stream("Workbook"), content_of(5000))

    def test_one_table_listed_again_and_again(self):
        container = Container({"Workbook": content_of(5000)})
        container.listed = [None] * 109
        self.assertBroken(container.make())

    def test_root_may_stand_anywhere(self):
        container = Container({"Workbook": content_of(100), "Other": content_of(50)})
        container.root_is_last = True
        self.assertEqual(ole.OleFile(container.make()).read_stream("Other"), content_of(50))

    def test_list_of_tables_that_ends(self):
        for number in (0xFFFFFFFA, 0xFFFFFFFB, END, FREE):
            for in_header in (True, False):
                container = Container({"Workbook": content_of(5000)})
                container.tables_in_header = in_header
                container.header["first_more"] = number
                self.assertEqual(ole.OleFile(container.make()).read_stream("Workbook"), content_of(5000))
        # The sector after the last one is empty.
        container = Container({"Workbook": content_of(4096)})
        container.tables_in_header = False
        container.header["first_more"] = 11
        self.assertEqual(ole.OleFile(container.make()).read_stream("Workbook"), content_of(4096))

    def test_sectors_that_the_table_does_not_know(self):
        container = Container({"Workbook": content_of(5000)})
        container.table[1] = 128
        self.assertBroken(container.make() + b"\0" * 512 * 150)

    def test_short_sectors_that_their_table_does_not_know(self):
        container = Container({name: content_of(4000) for name in "ABC"})
        container.short_table = container.short_table[:128]
        file = ole.OleFile(container.make())
        self.assertEqual(file.read_stream("B"), content_of(4000))
        with self.assertRaises(ole.OleError):
            file.read_stream("C")

    def test_size_of_version_3_is_its_lower_half(self):
        container = Container({"Workbook": content_of(5001)})
        container.entries[0][3] += 7 << 32
        self.assertEqual(ole.OleFile(container.make()).read_stream("Workbook"), content_of(5001))
        container = Container({"Workbook": content_of(5001)}, 4096)
        container.entries[0][3] += 7 << 32
        self.assertBroken(container.make())

    def test_what_is_no_container(self):
        good = Container({"Workbook": content_of(5000)}).make()
        self.assertBroken(good[:511])
        self.assertBroken(good[:40])
        self.assertBroken(Container({"Workbook": content_of(5000)}, 1024).make())
        self.assertBroken(b"\0" + good[1:])
        for shift, mini_shift in ((8, 6), (10, 6), (9, 5), (9, 7)):
            container = Container({"Workbook": content_of(5000)})
            container.header |= {"shift": shift, "mini_shift": mini_shift}
            self.assertBroken(container.make())

    def test_no_such_stream(self):
        container = Container({"Workbook": content_of(100)})
        container.entries.append([1, "Storage", 0, 100])
        content = container.make()
        self.assertBroken(content, "Other")
        self.assertBroken(content, "Storage")
        self.assertEqual(ole.OleFile(content).entries["Storage"][0], 1)

    def test_stream_larger_than_its_file(self):
        container = Container({"Workbook": content_of(5000)})
        content = container.make()
        for more, is_good in ((0, True), (1, False)):
            other = Container({"Workbook": content_of(5000)})
            other.entries[0][3] = len(content) + more
            if is_good:
                self.assertEqual(ole.OleFile(other.make()).read_stream("Workbook")[:5000], content_of(5000))
            else:
                self.assertBroken(other.make())

    def test_without_a_root_there_are_no_short_streams(self):
        container = Container({"Workbook": content_of(100), "Long": content_of(5000)})
        container.root = None
        content = container.make()
        self.assertBroken(content)
        self.assertEqual(ole.OleFile(content).read_stream("Long"), content_of(5000))

    def test_first_root_counts(self):
        container = Container({"Workbook": content_of(100)})
        container.entries.append([5, "Another", 0, 0])
        self.assertEqual(ole.OleFile(container.make()).read_stream("Workbook"), content_of(100))

    def test_chains_that_loop_or_lead_out(self):
        count = len(Container({"Workbook": content_of(5000)}).make()) // 512
        for target in (0, 1, count, count + 1, 127, 128, 129, 5000):
            with self.subTest(target=target):
                container = Container({"Workbook": content_of(5000)})
                container.table[1] = target
                self.assertBroken(container.make())

    def test_short_chains_that_loop_or_lead_out(self):
        for target in (0, 1, 3, 4, 127, 128, 5000):
            with self.subTest(target=target):
                container = Container({"Workbook": content_of(190)})
                container.short_table[1] = target
                self.assertBroken(container.make())

    def test_short_stream_longer_than_all_of_them(self):
        container = Container({"Workbook": content_of(190)})
        container.root = (5, "Root Entry", None, 128)
        self.assertBroken(container.make())

    def test_chain_starts_outside(self):
        for start in (40, 200, 70_000):
            container = Container({"Workbook": content_of(5000)})
            container.entries[0][2] = start
            self.assertBroken(container.make())

    def test_list_of_tables_loops_or_leads_out(self):
        for in_header in (True, False):
            for target in (4000, 70_000) if in_header else (9, 12, 4000):
                with self.subTest(in_header=in_header, target=target):
                    container = Container({"Workbook": content_of(4096)})
                    container.tables_in_header = in_header
                    container.header["first_more"] = target
                    with self.assertRaises(ole.OleError):
                        ole.OleFile(container.make())
