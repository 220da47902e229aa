import unittest

from tools.file_names import make_unique


class TestFileNames(unittest.TestCase):
    def test_each_name_once(self):
        names = set()
        made = [make_unique(name, number, names) for number, name in enumerate(("a.b.pdf", "a.b.pdf", "c", "c"))]
        self.assertEqual(made, ["a.b.pdf", "a.b 1.pdf", "c", "c 3"])
        self.assertEqual(names, set(made))
