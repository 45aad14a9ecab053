"""What is asked of a model can be held to by every server, and reaches the model in words."""

from __future__ import annotations

import pytest

from schemas.answers import LEVELS
from tasks.backends.llms.schema_rules import check_schema
from tasks.planning.ask import describe_answer
from tests.fakes import write_nonsense


@pytest.mark.parametrize("call", LEVELS)
def test_every_schema_is_bounded_and_understood_by_grammar_backends(call):
    assert check_schema(LEVELS[call].model_json_schema()) == []


@pytest.mark.parametrize("call", LEVELS)
def test_every_field_is_described_to_the_model(call):
    schema = LEVELS[call].model_json_schema()
    shown = describe_answer(LEVELS[call])
    for definition in (schema, *schema.get("$defs", {}).values()):
        for name, field in definition["properties"].items():
            assert field["description"] in shown, name
            assert f"- {name} (" in shown


def test_bounds_are_told_in_words():
    shown = describe_answer(LEVELS["read"])
    assert "- focuses (list of 1 to 7, each at most 65 characters): " in shown
    assert "  - first_paragraph (0 to 9999): " in shown
    assert "- continues (true or false): " in shown
    assert "  - verdict (supported or contradicted or not-in-text): " in describe_answer(LEVELS["claims"])
    assert "- tags (list of 7, each at most 65 characters): " in describe_answer(LEVELS["preview"])


@pytest.mark.parametrize("call", LEVELS)
def test_an_answer_at_random_within_the_bounds_validates(call):
    answer = write_nonsense(LEVELS[call], seed=3)
    assert LEVELS[call].model_validate_json(answer.model_dump_json()) == answer


def test_a_field_that_is_not_asked_for_is_refused():
    with pytest.raises(ValueError, match="Extra inputs"):
        LEVELS["world"].model_validate({"rules": ["Bread is dear."], "comment": "sure"})
