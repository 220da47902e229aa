"""``dev/apt.py`` on what the tools of apt's print."""

import unittest

from dev.apt import Package, parse_uris, why_failed

PRINTED = """\
Reading package lists...
Building dependency tree...
The following NEW packages will be installed:
  libc6 libllvm15
'http://mirror.example/debian/pool/main/g/glibc/libc6_2.36-9%2bdeb12u14_amd64.deb' libc6_2.36-9+deb12u14_amd64.deb \
2758884 SHA256:0d5e
'http://mirror.example/debian/pool/main/l/libllvm15_15.0.6-4%2bb1_amd64.deb' libllvm15_1%3a15.0.6-4+b1_amd64.deb \
23115112 SHA256:79a1
"""
NO_NETWORK = """\
Ign:1 http://mirror.example/debian bookworm InRelease
Err:1 http://mirror.example/debian bookworm InRelease
  Temporary failure resolving 'mirror.example'
Reading package lists...
E: Failed to fetch http://mirror.example/debian/dists/bookworm/InRelease  Temporary failure resolving 'mirror.example'
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""


class TestApt(unittest.TestCase):
    def test_packages_of_an_installation(self):
        self.assertEqual(
            parse_uris(PRINTED),
            [Package("libc6", "2.36-9+deb12u14", 2758884), Package("libllvm15", "1:15.0.6-4+b1", 23115112)],
        )

    def test_no_package(self):
        self.assertEqual(parse_uris("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"), [])

    def test_reason_is_the_line_that_tells_it(self):
        self.assertEqual(
            why_failed(NO_NETWORK),
            "Failed to fetch http://mirror.example/debian/dists/bookworm/InRelease"
            " Temporary failure resolving 'mirror.example'",
        )
        self.assertEqual(why_failed("Reading...\nE: The repository is not signed.\n"), "The repository is not signed.")
        self.assertEqual(why_failed("\n"), "apt-get failed without a word")
