import keyword
import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools.placeholders import inline_expressions, paths, qweb_expressions

NAMES = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))


class TestPlaceholders(unittest.TestCase):
    @given(st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=4))
    def test_every_path_is_found(self, chains):
        expression = " + ".join(".".join(chain) for chain in chains)
        self.assertEqual(paths(expression), [tuple(chain) for chain in chains])
        self.assertEqual(inline_expressions(f"Hello {{{{ {expression} }}}}!"), [expression])
        self.assertEqual(qweb_expressions(f'<p>Hello <t t-out="{expression}">sample</t></p>'), ([expression], set()))

    def test_calls_subscripts_and_their_arguments(self):
        self.assertEqual(paths("object.rows[0].name(contact.id)"), [("object", "rows"), ("contact", "id")])

    def test_what_an_expression_binds_is_no_placeholder(self):
        self.assertEqual(
            paths("object.items.filtered(lambda item: item.x and y.z)"), [("object", "items", "filtered"), ("y", "z")]
        )

    def test_no_expression(self):
        for wrong in ("object.", "object name", "(object.name", ""):
            with self.subTest(wrong=wrong), self.assertRaises(SyntaxError):
                paths(wrong)

    def test_conditions_loops_and_links(self):
        expressions, names = qweb_expressions(
            '<t t-set="total" t-value="object.total"/>'
            '<a t-if="total &gt; 1" t-att-href="object.url" t-attf-title="#{total} of {{ x }}">y</a>'
            '<t t-foreach="rows" t-as="row"/>'
        )
        self.assertEqual(expressions, ["object.total", "total > 1", "object.url", "total", "x", "rows"])
        self.assertLessEqual({"total", "row", "row_index"}, names)

    def test_only_loops_and_sets_make_names(self):
        _expressions, names = qweb_expressions('<p class="big" t-out="x"><t t-set="total" t-value="1"/></p>')
        self.assertEqual(names, {"total"})

    def test_attribute_without_a_value(self):
        self.assertEqual(qweb_expressions("<p t-attf-id t-out>x</p>"), ([""], set()))

    def test_empty_texts(self):
        self.assertEqual(inline_expressions(""), [])
        self.assertEqual(inline_expressions(None), [])
        self.assertEqual(qweb_expressions(" "), ([], set()))
        self.assertEqual(qweb_expressions(None), ([], set()))
