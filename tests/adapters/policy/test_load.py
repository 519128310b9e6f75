"""Policies are all valid, under names of their own, or none is used."""

from pathlib import Path

import pytest

from interlock.adapters.policy_cedar import (
    ActionType,
    CedarAuthorizer,
    PolicyInvalid,
    ResourceType,
    load,
    schema_text,
)
from interlock.adapters.policy_cedar.policies import NESTING_MAX, POLICY_CHARS_MAX
from interlock.adapters.policy_cedar.scope import EVERYWHERE
from tests.adapters.policy.site import SCHEMA, asked, site

PERMIT = "permit (principal, action, resource);\n"


def when(condition: str) -> str:
    """A permit under one condition."""
    return f"permit (principal, action, resource) when {{ {condition} }};\n"


def refused(folder: Path, text: str) -> PolicyInvalid:
    """How a folder with this one file is refused."""
    with pytest.raises(PolicyInvalid) as caught:
        site(folder, text)
    return caught.value


def test_ids_are_ours(tmp_path: Path) -> None:
    """A policy is called by its file and its @id, or its place in the file."""
    (tmp_path / "b.cedar").write_text(PERMIT + '@id("loop guard")\n' + PERMIT + "@id " + PERMIT)
    (tmp_path / "a.cedar").write_text("// nothing but ; a comment\n\n" + PERMIT)

    policies = load(tmp_path, SCHEMA)

    assert [(each.id, each.file.name, each.line) for each in policies] == [
        ("a/1", "a.cedar", 3),
        ("b/1", "b.cedar", 1),
        ("b/loop guard", "b.cedar", 2),
        ("b/3", "b.cedar", 4),
    ]


def test_semicolons_end_policies_only_outside_strings_and_comments(tmp_path: Path) -> None:
    """Text in a string or comment never starts, ends or hides a policy."""
    text = when(r'context.environment == ";\"; // {(["') + "// forbid; ) \r" + PERMIT + "// end ;"
    (tmp_path / "a.cedar").write_bytes(text.encode())

    policies = load(tmp_path, SCHEMA)

    assert [each.line for each in policies] == [1, 3]


def test_a_repeated_id_is_refused(tmp_path: Path) -> None:
    """Two policies of one name are refused, and both places named."""
    error = refused(tmp_path, f'@id("2") {PERMIT}\n{PERMIT}')

    assert (error.file.name, error.line) == ("shop.cedar", 3)
    assert "shop/2 is taken by" in error.message
    assert "shop.cedar:1" in error.message


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{PERMIT}\n" + when("context.enviroment == 1"), 3, "`enviroment`"),
        (when("context.hop > 3"), 1, "optional attribute `hop`"),
        (when("principal.isuer == 1"), 1, "`isuer`"),
        (when("context.environment == 1"), 1, "type"),
        ('permit (principal, action == Action::"refesh", resource);', 1, "refesh"),
        ("permit (principal, action, resource is Explor);", 1, "Explor"),
        ('permit (principal, action == Action::"submit", resource is Target);', 1, "action"),
        (f"{PERMIT}// why\npermit (principal, action);", 3, "scope"),
        (PERMIT + "permit (principal, action, resource)", 2, "end of input"),
        (PERMIT + when('"'), 2, "invalid token"),
        (f"{PERMIT};", 2, "unexpected token"),
        ("permit (principal == ?principal, action, resource);", 1, "template"),
        (when("(" * NESTING_MAX + "true" + ")" * NESTING_MAX), 1, f"{NESTING_MAX} brackets"),
        (when(")" * 999 + "(" * 999), 1, f"{NESTING_MAX} brackets"),
        (when(f'"{"x" * POLICY_CHARS_MAX}" == ""'), 1, f"{POLICY_CHARS_MAX} characters"),
    ],
)
def test_an_invalid_policy_is_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    """Whatever is wrong with a policy: its file, its line, what is wrong and what to do."""
    error = refused(tmp_path, text)

    assert (error.file.name, error.line) == ("shop.cedar", line)
    assert said in error.message
    assert str(error) == f"{tmp_path / 'shop.cedar'}:{line}: {error.message}; {error.remedy}"


@pytest.mark.parametrize("files", [{}, {"a.txt": PERMIT}, {"a.cedar": ""}, {"a.cedar": "// hi;"}])
def test_empty_means_no(tmp_path: Path, files: dict[str, str]) -> None:
    """A folder without a single policy is refused, and the refusal says why."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(PolicyInvalid, match=r"the folder holds no policy; .*empty means no"):
        load(tmp_path, SCHEMA)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is not there is no reason to allow anything."""
    with pytest.raises(PolicyInvalid, match="no such folder"):
        load(tmp_path / "policies", SCHEMA)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A file that is not text is named."""
    (tmp_path / "a.cedar").write_bytes(b"\xff\xfe")

    with pytest.raises(PolicyInvalid, match=r"a\.cedar: .*UTF-8"):
        load(tmp_path, SCHEMA)


def test_all_that_the_limits_let_through_is_survived(tmp_path: Path) -> None:
    """The deepest and longest policies we take are parsed, indexed and evaluated, not fatal."""
    deep = "(" * (NESTING_MAX - 1) + "true" + ")" * (NESTING_MAX - 1)
    links = "if 1==1then 1==1else "
    chain = links * ((POLICY_CHARS_MAX - 100) // len(links)) + "true"

    authorizer = site(tmp_path, when(deep) + when(chain))

    assert authorizer.decide(asked()).rules == ("shop/1", "shop/2")


def test_scopes_are_read_whatever_follows_them(tmp_path: Path) -> None:
    """Conditions of any depth leave a policy where its scope puts it."""
    scope = 'principal, action == Action::"refresh", resource'
    condition = "true" + " && true" * 200
    (tmp_path / "a.cedar").write_text(f'@x("{{)") permit ({scope}) when {{ {condition} }};')

    (policy,) = load(tmp_path, SCHEMA)

    assert policy.scope == EVERYWHERE._replace(actions=frozenset({"refresh"}))


def test_connectors_that_agree_share_a_type() -> None:
    """Two connectors may declare one type alike, and add their resources to one action."""
    job = ResourceType(name="Job", parents=("Target",))

    text = schema_text(
        [job, job, ResourceType(name="Dag")],
        [ActionType(name="cancel", resources=("Job",)), ActionType(name="run", resources=("Dag",))],
    )

    assert text.count("entity Job ") == 1
    assert "resource: [Job, Route, Source, Target], context" in text
    CedarAuthorizer([], text)


@pytest.mark.parametrize(
    ("resources", "actions", "said"),
    [
        ([ResourceType(name="Target")], [], "`Target` is declared twice"),
        ([ResourceType(name="User")], [], "`User` is declared twice"),
        ([ResourceType(name="Job", parents=("Queue",))], [], "type: Queue"),
        ([], [ActionType(name="run", resources=("Queue",))], "type: Queue"),
    ],
)
def test_connectors_that_disagree_are_refused(
    tmp_path: Path, resources: list[ResourceType], actions: list[ActionType], said: str
) -> None:
    """No connector can redefine what another declared, nor speak of what nobody declared."""
    with pytest.raises(ValueError, match=said):
        load(tmp_path, schema_text(resources, actions))
