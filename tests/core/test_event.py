"""An event's identity and its attributes as text."""

from hypothesis import given
from hypothesis import strategies as st

from interlock.core.event import event_key
from tests.making import event

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)


def test_the_key_is_stable() -> None:
    """Keys are kept for ever: the same source and id make the same key in every version."""
    assert event_key("airflow://prod", "1") == event().key
    assert event().key == "7e6f213bb205cd91f0e597f979c149a2e471cef5568569fa2765598ebc648074"


@given(texts, texts, texts, texts)
def test_no_two_events_share_a_key(source: str, id_: str, other_source: str, other_id: str) -> None:
    """Moving characters between source and id makes another key."""
    same = (source, id_) == (other_source, other_id)

    assert (event_key(source, id_) == event_key(other_source, other_id)) == same


def test_attributes_are_text() -> None:
    """Every context attribute reads as text; the time as RFC 3339; what is absent as None."""
    one = event(time="2026-01-01T12:00:00+02:00", team="web", dataschema="urn:x")

    assert {
        name: one.attribute(name)
        for name in ("specversion", "source", "id", "type", "subject", "time", "dataschema", "team")
    } == {
        "specversion": "1.0",
        "source": "airflow://prod",
        "id": "1",
        "type": "airflow.dag_run.succeeded",
        "subject": "load_orders",
        "time": "2026-01-01T12:00:00+02:00",
        "dataschema": "urn:x",
        "team": "web",
    }
    assert event(time=None).attribute("time") is None
    assert one.attribute("nosuchthing") is None


def test_the_object_has_no_attributes_beside_the_event() -> None:
    """Asking for data, body or digest reads extensions, not the insides of the value."""
    one = event()

    assert [one.attribute(name) for name in ("data", "body", "digest", "key")] == [None] * 4
