"""Masks of stages and of chat templates: alike for every family, and found out where they are not."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from tasks.training.masks import compare_masks, render_chat, weigh_tokens
from tests.chats import FAMILIES, make_pair, make_tokenizer, rows_of_every_layout, write_template

CHATML = FAMILIES["chatml"]
ROW = make_pair("tagged-story", "story", "A lamp.", "The tide turned at noon.")


def own_texts(row, template):
    """What the tokens with a weight say, one text for each run of them."""
    chat = render_chat(row, make_tokenizer(), template)
    weights = weigh_tokens(row, make_tokenizer(), template)[1]
    texts, before = [], 0.0
    for (start, end), weight in zip(chat.ranges, weights, strict=True):
        if weight and not before:
            texts.append((start, end))
        elif weight:
            texts[-1] = (texts[-1][0], end)
        before = weight
    return [chat.text[start:end] for start, end in texts]


def kinds(template, row=ROW, **options):
    return {(fault.kind, fault.role) for fault in compare_masks(row, make_tokenizer(**options), template).faults}


def test_the_rows_hold_every_layout_and_every_role():
    rows = rows_of_every_layout()
    assert {row["layout"] for row in rows} == {
        "full-book",
        "first-chapter",
        "chapter-window",
        "outline-to-text",
        "tagged-story",
        "title-to-story",
    }
    assert {stage["role"] for row in rows for stage in row["stages"]} == {
        *("prompt", "premise", "story_so_far", "previous_text", "passage", "story", "book_preview", "book_plan"),
        *("first_chapter_plan", "first_chapter_text", "full_book_chapters_plan", "book_characters_list"),
        *("scene_breakdown", "chapter_text", "first_chapter_scene_breakdown"),
    }


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("end", ["without the end", "with the end", "with all of the end"])
def test_markers_around_the_content_agree_with_the_stages_of_every_layout(name, end):
    family = FAMILIES[name]
    ends = {"without the end": "", "with the end": family.end, "with all of the end": family.end + family.after}
    template = write_template(family, ends[end])
    for row in rows_of_every_layout():
        report = compare_masks(row, make_tokenizer(), template)
        assert report.faults == ()
        assert report.agrees
        assert report.ends == ((ends[end],) if ends[end] else ())
        assert 0 < report.num_own < report.num_tokens


@pytest.mark.parametrize("name", FAMILIES)
def test_the_weights_are_on_the_targets_texts_letter_for_letter(name):
    for row in rows_of_every_layout():
        targets = [stage for stage in row["stages"] if stage["loss"] > 0]
        template = write_template(FAMILIES[name])
        assert own_texts(row, template) == [stage["text"] for stage in targets]
        weights = weigh_tokens(row, make_tokenizer(), template)[1]
        assert {weight for weight in weights if weight} == {stage["loss"] for stage in targets}


def test_a_text_that_the_prompt_holds_too_is_labelled_once():
    row = make_pair("tagged-story", "story", "The tide turned. The tide turned.", "The tide turned.")
    assert compare_masks(row, make_tokenizer(), write_template(CHATML)).agrees
    assert own_texts(row, write_template(CHATML)) == ["The tide turned."]


def test_a_template_that_strips_contents_is_found_out():
    template = write_template(CHATML, said="{{ m['content'] | trim }}")
    assert kinds(template) == set()
    row = make_pair("outline-to-text", "passage", "A lamp.", "    Indented, the tide turned.")
    assert kinds(template, row) == {("changed", "passage")}
    with pytest.raises(ConfigError, match=r"changes the text of passage at '    Indented"):
        weigh_tokens(row, make_tokenizer(), template)


def test_a_template_that_strips_the_context_is_found_out():
    template = write_template(CHATML).replace("m['content'] + '<|im_end|>", "(m['content'] | trim) + '<|im_end|>")
    row = make_pair("tagged-story", "story", "  A lamp.", "The tide turned.")
    assert kinds(template, row) == {("changed", "user")}


def test_a_template_that_drops_or_repeats_a_turn_is_found_out():
    assert kinds(write_template(CHATML, said="nothing")) == {("changed", "story")}
    assert kinds(write_template(CHATML, said="{{ m['content'] + m['content'] }}")) == {("changed", "user")}


def test_a_template_without_markers_labels_nothing():
    template = write_template(CHATML).replace("{% generation %}", "").replace("{% endgeneration %}", "")
    report = compare_masks(ROW, make_tokenizer(), template)
    assert {(fault.kind, fault.role) for fault in report.faults} == {("missing", "story")}
    assert len(report.faults) == report.num_own


def test_markers_that_leave_the_last_word_out_name_its_tokens():
    template = write_template(
        CHATML, said="{{ m['content'][:-6] }}{% endgeneration %}{{ m['content'][-6:] }}{% generation %}"
    )
    report = compare_masks(ROW, make_tokenizer(), template)
    assert "".join(fault.text for fault in report.faults) == " noon."
    assert {(fault.kind, fault.role) for fault in report.faults} == {("missing", "story")}


@pytest.mark.parametrize(
    "lead", ["<|im_start|>", "(Thinking it over.)\n", "\n"], ids=["a special token", "words", "a line end"]
)
def test_markers_that_begin_before_the_text_leak(lead):
    assert {kind for kind, _ in kinds(write_template(CHATML, lead=lead))} == {"leaked"}


def test_markers_around_the_user_s_turn_leak():
    template = write_template(CHATML).replace("{% else %}", "{% else %}{% generation %}")
    template = template.replace("{% endif %}", "{% endgeneration %}{% endif %}")
    assert ("leaked", "") in kinds(template)


def test_markers_that_go_on_into_the_next_header_leak():
    row = rows_of_every_layout()[0]
    family = CHATML._replace(after="\n<|im_start|>user\n", user=("", "<|im_end|>\n"))
    report = compare_masks(row, make_tokenizer(), write_template(family, family.end + family.after))
    assert {fault.kind for fault in report.faults} == {"leaked"}
    assert [fault.text for fault in report.faults[:1]] == ["<|im_start|>"]
    assert report.ends == ("<|im_end|>\n",)


@pytest.mark.parametrize("trims_offsets", [False, True])
def test_a_space_that_becomes_part_of_the_first_token_is_found_out(trims_offsets):
    family = FAMILIES["mistral"]._replace(assistant=" ")
    row = make_pair("tagged-story", "story", "A lamp.", "tide and wind")
    assert kinds(write_template(family), row, trims_offsets=trims_offsets) == {("shared", "story")}


def test_an_end_that_is_no_token_of_its_own_is_found_out():
    row = make_pair("tagged-story", "story", "A lamp.", "The tide turned at noo")
    assert kinds(write_template(CHATML._replace(end="n"), "n"), row) == {("shared", "story")}
    assert kinds(write_template(CHATML._replace(end=" End."), " End."), row) == {("leaked", "story")}


def test_ends_that_differ_between_turns_are_told():
    said = "{{ m['content'] }}{% if loop.last %}{{ '<|im_end|>' }}{% endif %}"
    report = compare_masks(rows_of_every_layout()[0], make_tokenizer(), write_template(CHATML, said=said))
    assert report.ends == ("", "<|im_end|>")


def test_messages_of_other_texts_than_the_stages_are_refused():
    row = {**ROW, "messages": [ROW["messages"][0], {"role": "assistant", "content": "Something else."}]}
    with pytest.raises(ConfigError, match=r"1 assistant turns do not hold the texts of 1 stages"):
        compare_masks(row, make_tokenizer(), write_template(CHATML))
