"""The texts that a Liquid template can become."""

from hypothesis import given
from hypothesis import strategies as st

from interlock.lookml.liquid import BRANCHES_MAX, HOLE, texts

leaf = st.integers(0, 10**9).map("leaf{}".format)
block = st.recursive(
    leaf,
    lambda inner: (
        st.builds(
            lambda branches, has_else: (
                " {% if a %} "
                + " {% elsif b %} ".join(branches)
                + (" {% else %} other " if has_else else "")
                + " {% endif %} "
            ),
            st.lists(inner, min_size=1, max_size=4),
            st.booleans(),
        )
        | st.lists(inner, min_size=1, max_size=4).map(" ".join)
    ),
    max_leaves=30,
)


@given(block)
def test_every_branch_stands_in_at_least_one_text(template: str) -> None:
    """However branches nest, no table named in one of them is lost."""
    found = texts(template)

    leaves = {word for word in template.split() if word.startswith("leaf")}
    written = {word for text in found.each for word in text.split()}
    assert leaves <= written
    assert len(found.each) <= BRANCHES_MAX


def test_names_glued_from_choices_are_all_combined() -> None:
    """`dataset.table` with a choice on either side of the dot is four names."""
    found = texts("{% if a %}x{% else %}y{% endif %}.{% if b %}s{% else %}t{% endif %}")

    assert set(found.each) == {"x.s", "x.t", "y.s", "y.t"}


def test_too_many_glued_choices_are_not_taken_for_all() -> None:
    """Past the limit the texts are a sample, and say so."""
    found = texts("{% if a %}x{% else %}y{% endif %}" * 7)

    assert not found.complete


def test_many_choices_apart_from_one_another_stay_linear() -> None:
    """A hundred optional joins are a few texts, and complete."""
    found = texts("select * from t " + "{% if a %} join x {% endif %} " * 100)

    assert found.complete
    assert len(found.each) <= 64


def test_what_is_printed_is_a_hole_or_an_allowed_value() -> None:
    """A parameter with a list is each of its values, in both spellings; the rest is unknown."""
    template = "{% parameter v.p %} {{ v.p._parameter_value }} {{ _user_attributes['x'] | upcase }}"

    found = texts(template, {"v.p": ["day", "week"]}.get)  # type: ignore[arg-type]

    assert f"day week {HOLE}" in found.each


def test_tags_that_choose_nothing_keep_their_content() -> None:
    """Conditions, assignments and trimmed spaces vanish; comments vanish whole."""
    template = (
        "a {% assign x = 1 %}{% condition f %} b {% endcondition %}{% comment %} c {% endcomment %}"
        "d. {%- if x -%} e {%- endif %}{%else%}"
    )

    assert [text.split() for text in texts(template).each] == [["a", "b", "d.e"], ["a", "b", "d."]]


def test_a_tag_that_is_never_closed_makes_the_texts_incomplete() -> None:
    """Nobody knows what its author meant."""
    assert not texts("ds.t {% if x").complete
