"""Who of the people that windows and registers list is one person."""

from __future__ import annotations

import pytest

from schemas.answers import ArchetypeAnswer, CharacterAnswer, PeopleAnswer, PersonAnswer
from tasks.extraction.persons import Listed, unite_people
from tasks.planning.roster import clean_register, merge_people


def groups(*people, apart=(), surnames=()):
    listed = [person if isinstance(person, Listed) else Listed(person) for person in people]
    owners = unite_people(listed, lambda one, other: frozenset((one, other)) in apart, surnames)
    found = {}
    for person, owner in zip(listed, owners, strict=True):
        found.setdefault(owner, set()).add(person.name)
    return list(found.values())


@pytest.mark.parametrize(
    "forms",
    [
        ("Mr. Darcy", "Darcy", "Fitzwilliam Darcy"),
        ("Gabriel John Utterson", "G. J. Utterson", "Mr. Utterson", "Utterson"),
        ("Abraham Van Helsing", "Van Helsing", "Professor Van Helsing", "Dr. Van Helsing"),
        ("Henry Jekyll", "Dr. Jekyll", "Dr. Henry Jekyll", "Jekyll"),
        ("Lucy Westenra", "Lucy", "Miss Lucy", "Miss Westenra"),
        ("Elizabeth Bennet", "Elizabeth", "Miss Elizabeth", "Miss Elizabeth Bennet"),
        ("Count Dracula", "Dracula"),
        (Listed("Elizabeth Bennet", ("Lizzy",)), "Lizzy"),
        (Listed("Mina Harker", ("Mina Murray",)), "Mina Murray", "Mina", "Mrs. Harker"),
    ],
)
def test_forms_of_one_name_are_one_person(forms):
    assert len(groups(*forms)) == 1


@pytest.mark.parametrize(
    "people",
    [
        ("Mr. Bennet", "Mrs. Bennet"),
        ("Mr. Bennet", "Elizabeth Bennet"),
        ("Jane Bennet", "Elizabeth Bennet"),
        ("Fitzwilliam Darcy", "Colonel Fitzwilliam"),
        ("Fitzwilliam Darcy", "Georgiana Darcy"),
        ("Jonathan Harker", "Mrs. Harker"),
        (Listed("Henry Jekyll", ("Edward Hyde",)), "Edward Hyde"),
        (Listed("Dr. Jekyll", ("Mr. Hyde",)), "Mr. Hyde"),
        (Listed("Arthur Holmwood", ("Lord Godalming",)), "Lord Godalming"),
        ("the butler", "the doctor"),
    ],
)
def test_two_people_stay_two(people):
    assert len(groups(*people)) == len(people)


def test_a_bare_surname_in_a_list_of_aliases_is_no_proof_where_the_text_has_it_after_a_title():
    people = (Listed("Dr. Jekyll", ("Hyde",)), Listed("Hyde"))
    assert len(groups(*people, surnames={"Hyde"})) == 2


def test_a_form_that_fits_two_sisters_joins_neither():
    found = groups("Jane Bennet", "Elizabeth Bennet", "Miss Bennet", "Mr. Bennet", "Mrs. Bennet", "Jane")
    assert {"Miss Bennet"} in found
    assert {"Jane Bennet", "Jane"} in found
    assert len(found) == 5


def test_a_title_before_a_given_name_tells_two_of_the_name_apart():
    found = groups("Lady Catherine", "Lady Catherine de Bourgh", "Catherine Bennet")
    assert {"Lady Catherine", "Lady Catherine de Bourgh"} in found


def test_two_who_stand_side_by_side_in_a_list_are_two():
    pair = frozenset(("Tom", "Tom Sawyer"))
    assert len(groups("Tom", "Tom Sawyer", apart={pair})) == 2
    assert len(groups("Tom", "Tom Sawyer")) == 1


PRIDE = (
    "Mr. Darcy bowed. Darcy was proud, and Fitzwilliam Darcy was rich. Miss Bennet smiled; Elizabeth Bennet, whom they "
    "called Lizzy, did not. Jane Bennet walked out. Mrs. Bennet wept, Mr. Bennet read. Lizzy laughed. Darcy came again. "
    "Elizabeth saw Darcy."
)


def person(name, *aliases, role="Somebody at Meryton."):
    return PersonAnswer(name=name, aliases=aliases, role=role)


def test_windows_are_merged_over_the_book_and_counted_in_its_text():
    windows = [
        [[person("Mr. Darcy", "Darcy"), person("Mrs. Bennet"), person("Mr. Bennet")]],
        [[person("Fitzwilliam Darcy", "the master of Pemberley"), person("Elizabeth Bennet", "Lizzy", "Miss Bennet")]],
        [[person("Lizzy"), person("Jane Bennet", "Miss Bennet"), person("Darcy")], [person("Miss Bennet")]],
    ]
    people = {digest.name: digest for digest in merge_people(windows, PRIDE)}
    assert set(people) == {
        "Fitzwilliam Darcy",
        "Elizabeth Bennet",
        "Jane Bennet",
        "Mr. Bennet",
        "Mrs. Bennet",
        "Miss Bennet",
    }
    darcy = people["Fitzwilliam Darcy"]
    assert (darcy.aliases, darcy.num_mentions, darcy.first_chapter, darcy.num_chapters) == (
        ("Darcy", "Mr. Darcy"),
        5,
        1,
        3,
    )
    assert people["Elizabeth Bennet"].aliases == ("Lizzy",)


def test_a_mask_stays_a_person_although_a_late_window_lists_it_as_an_alias():
    text = "Mr. Hyde ran. Edward Hyde fell. Dr. Jekyll wept, for Henry Jekyll was ill. Hyde again, and Jekyll."
    windows = [
        [[person("Mr. Hyde", "Hyde"), person("Dr. Jekyll", "Jekyll")]],
        [[person("Edward Hyde")]],
        [[person("Henry Jekyll", "Edward Hyde", "Hyde", "Mr. Hyde")]],
    ]
    people = {digest.name: digest.aliases for digest in merge_people(windows, text)}
    assert people == {"Edward Hyde": ("Hyde", "Mr. Hyde"), "Henry Jekyll": ("Jekyll", "Dr. Jekyll")}


def character(name, *aliases, told="Is at Meryton."):
    return CharacterAnswer(name=name, aliases=aliases, bullets=(told,))


def test_nobody_stands_twice_in_a_register_and_aliases_are_the_texts_own():
    answer = PeopleAnswer(
        main=(character("Mr. Darcy", "the lord of the manor"), character("Elizabeth Bennet", "Lizzy", "Jane Bennet")),
        side=(
            character("Fitzwilliam Darcy", told="Owns Pemberley."),
            character("Jane Bennet"),
            character(" "),
            character("Mrs. Bennet"),
        ),
        archetypes=(ArchetypeAnswer(name="The Proud Suitor", bullets=("He learns.",)),),
    )
    main, side = clean_register(answer, PRIDE)
    assert [(one.name, one.aliases) for one in main] == [
        ("Mr. Darcy", ("Fitzwilliam Darcy",)),
        ("Elizabeth Bennet", ("Lizzy",)),
    ]
    assert main[0].bullets == ("Is at Meryton.", "Owns Pemberley.")
    assert [one.name for one in side] == ["Jane Bennet", "Mrs. Bennet"]
