"""Books -> Signatures -> the ones that another book makes superfluous."""

import csv
import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import CleanSettings, DuplicateSettings, SignSettings
from schemas.duplicates import Signature
from schemas.errors import ConfigError
from tasks.clean import clean_book
from tasks.duplicates import find_duplicates
from tasks.likeness.shingles import PIECE_CHARS, hash_shingles, hash_words
from tasks.likeness.titles import split_title, surnames
from tasks.sign import sign_text

GUTENBERG = Path(__file__).resolve().parents[2].parent / "shared" / "gutenberg"
SETTINGS = DuplicateSettings()


def prose(seed, num_words):
    rng = random.Random(seed)
    syllables = ["ka", "lo", "mi", "ré", "su", "ta", "ven", "dor", "il", "qua"]
    vocabulary = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(3_000)]
    return rng.choices(vocabulary, k=num_words)


def sign(book_id, words, title="The Salt Road", authors=("Brand, Ilse, 1842-1914",), encoding="utf-8"):
    text = words if isinstance(words, str) else " ".join(words)
    entry = CatalogueEntry(book_id=book_id, title=title, authors=authors)
    return sign_text(entry, text, encoding, SignSettings())


def sign_raw(raw):
    clean = clean_book(raw, CleanSettings())
    return sign_text(clean.entry, clean.text, clean.encoding, SignSettings())


def change(words, share, seed=0):
    """Return the words with a share of them replaced by others, evenly."""
    rng = random.Random(seed)
    return [f"x{at}" if rng.random() < share else word for at, word in enumerate(words)]


def pairs(*signatures):
    return {one.book_id: (one.duplicate_of, one.likeness) for one in find_duplicates(signatures, SETTINGS).values()}


WORDS = prose(1, 30_000)
OTHER = prose(2, 30_000)


def test_one_text_in_several_encodings_and_typographies_is_one():
    typographic = "“Don’t—” she said; ‘it’s naïve,’ and\n\n_went_ to the café."
    ascii_only = "\"Don't--\" she said; 'it's naive,' and went to the\ncafe."
    assert list(hash_words(typographic)) == list(hash_words(ascii_only))
    assert list(hash_words("One, two")) != list(hash_words("Two one"))


@given(st.text(max_size=200))
def test_words_are_hashed_as_python_divides_them(text):
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in text)
    assert len(hash_words(plain)) == len(plain.split())
    assert list(hash_words(f"{plain} {plain}")) == list(hash_words(plain)) * 2


def test_a_long_text_is_hashed_in_pieces_as_in_one():
    line = " ".join(WORDS[:9]) + "\n"
    text = line * (3 * PIECE_CHARS // len(line))
    assert len(hash_words(text)) == len(text.split())
    assert len(hash_shingles(hash_words(text), 5)) == 9


def test_a_book_shorter_than_a_shingle_is_signed_and_like_nothing():
    short = [sign(str(number), "Four words are here.") for number in range(3)]
    assert short[0].num_shingles == 0
    assert pairs(*short, sign("9", "")) == {}


def test_a_signature_depends_on_the_book_alone():
    assert sign("7", WORDS) == sign("7", WORDS)
    assert len(sign("7", WORDS).to_json()) < 6_000
    assert Signature.model_validate_json(sign("7", WORDS).to_json()) == sign("7", WORDS)


def test_the_same_text_is_a_duplicate_whatever_its_author_and_title():
    assert pairs(sign("7", WORDS), sign("8", WORDS), sign("9", OTHER)) == {"8": ("7", "edition")}
    stranger = sign("8", change(WORDS, 0.03), title="A Way of Salt", authors=("Anonymous",))
    assert pairs(sign("7", WORDS), stranger) == {"8": ("7", "edition")}
    assert pairs(sign("7", WORDS, None, ()), sign("8", WORDS, None, ())) == {"8": ("7", "edition")}


def test_the_similarity_is_estimated():
    words = change(WORDS, 0.05)
    true, other = (set(zip(*(text[at:] for at in range(5)), strict=False)) for text in (WORDS, words))
    jaccard = len(true & other) / len(true | other)
    found = find_duplicates([sign("7", WORDS), sign("8", words)], SETTINGS)["8"]
    assert found.similarity == pytest.approx(jaccard, abs=0.06)
    assert found.detail.startswith("duplicate of 7: ")


def test_a_revised_edition_is_known_by_author_and_title():
    revised = change(WORDS, 0.14)  # 0.3 of the shingles are left
    assert pairs(sign("7", WORDS), sign("8", revised, authors=("Ilse Brand",))) == {"8": ("7", "edition")}
    assert pairs(sign("7", WORDS), sign("8", revised, title="The Sand Road")) == {}


def test_another_translation_is_another_work():
    assert pairs(sign("7", WORDS), sign("8", change(WORDS, 0.5))) == {}


def test_volumes_with_different_text_both_stay():
    first, second = (sign(str(n), text, f"The Salt Road, Vol. {n}") for n, text in ((1, WORDS), (2, OTHER)))
    assert pairs(first, second) == {}


def test_a_volume_beside_the_complete_edition_is_a_part_of_it():
    volumes = [sign(str(n), text, f"The Salt Road — Volume {n}") for n, text in ((1, WORDS), (2, OTHER))]
    third = prose(3, 30_000)
    whole = sign("9", WORDS + OTHER + third, "The Salt Road — Complete")
    assert pairs(*volumes, whole) == {"1": ("9", "part"), "2": ("9", "part")}
    found = find_duplicates([*volumes, whole], SETTINGS)["1"]
    assert found.similarity > 0.95
    assert "of its phrases stand there" in found.detail


def test_a_story_beside_its_collection_is_a_part_of_it():
    collection = sign("9", OTHER + WORDS[:4_000] + prose(3, 60_000), "Roads and Other Stories")
    assert pairs(sign("7", WORDS[:4_000], "The Salt Road"), collection) == {"7": ("9", "part")}


def test_an_omnibus_yields_to_the_works_it_holds():
    works = [sign(str(n), prose(n, 20_000), title) for n, title in enumerate(("Salt", "Sand", "Stone"), 1)]
    omnibus = sign("9", [word for n in (1, 2, 3) for word in prose(n, 20_000)], "The Works of Ilse Brand")
    assert pairs(*works, omnibus) == {"9": ("1", "omnibus")}


def test_of_two_editions_the_better_one_stays():
    plain = " ".join(WORDS).replace("é", "e")
    assert pairs(sign("7", plain, encoding="ascii"), sign("8", WORDS)) == {"7": ("8", "edition")}
    assert pairs(sign("7", WORDS[:20_000]), sign("8", WORDS)) == {"7": ("8", "edition")}
    assert pairs(sign("10", WORDS), sign("9", WORDS)) == {"10": ("9", "edition")}


def test_every_duplicate_names_a_book_that_stays():
    chain = [sign(str(n), change(WORDS, 0.04 * n, seed=n)) for n in range(6)]  # the ends are less alike than neighbours
    found = find_duplicates(chain, SETTINGS)
    assert found
    assert all(one.duplicate_of not in found for one in found.values())


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_books_does_not_matter(rng):
    rng.shuffle(MIXED)
    assert find_duplicates(MIXED, SETTINGS) == FOUND


MIXED = [
    *(sign(f"a{n}", change(WORDS, 0.02 * n, seed=n)) for n in range(4)),
    *(sign(f"b{n}", prose(n, 9_000), f"Tale {n}") for n in range(4)),
    sign("c", prose(0, 9_000) + prose(1, 9_000) + prose(2, 9_000), "The Works of Ilse Brand"),
    sign("d", [*OTHER, *WORDS[:9_000]], "The Salt Road, Complete"),
    sign("e", OTHER[:10_000], "The Salt Road, Part 2"),
]
FOUND = find_duplicates(MIXED, SETTINGS)


def test_what_comes_twice_counts_once():
    assert find_duplicates([*MIXED, *MIXED], SETTINGS) == FOUND


def test_signatures_of_other_settings_cannot_be_compared():
    one = sign("7", WORDS)
    with pytest.raises(ConfigError, match="sign all books anew"):
        find_duplicates([one, one.model_copy(update={"book_id": "8", "minhash": b"\0" * 64})], SETTINGS)


def test_no_books_have_no_duplicates():
    assert find_duplicates([], SETTINGS) == {}


@pytest.mark.parametrize(
    ("title", "key", "volume"),
    [
        ("The Salt Road: A Tale of the Coast", "salt road", ""),
        ("The Salt Road; Or, The Widow's Errand", "salt road", ""),
        ("The Salt Road, or The Widow's Errand", "salt road", ""),
        ("Salt Road, Complete", "salt road", ""),
        ("The Salt Road — Volume 01", "salt road", "01"),
        ("The Salt Road, Vol. 2 (of 3)", "salt road", "2"),
        ("La route du sél Tome II: Le départ", "route du sel", "ii"),
        ("The Salt Road (1 of 2)", "salt road", "1"),
        ("The Salt Road [Illustrated Edition]", "salt road", ""),
        ('"The Salt Road" — Volume 03', "salt road", "03"),
        ("The Salt Road, v. 2/5", "salt road", "2"),
        ("The Book of Salt", "book of salt", ""),
        ("Part of the Road", "part of the road", ""),
        ("Volume 1", "", "1"),
        ("A", "a", ""),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_what_a_title_says(title, key, volume):
    assert split_title(title) == (key, volume)


@pytest.mark.parametrize(
    ("authors", "names"),
    [
        (("Brandé, Ilse, 1842-1914",), ("brande",)),
        (("Ilse Brandé",), ("brande",)),
        (("Le Moor, T. S. (Tom Sam)", "Brand, Ilse"), ("moor", "brand")),
        (("Anonymous",), ()),
        (("Moor, T. [Translator]",), ()),
        (("?",), ()),
    ],
)
def test_who_wrote_it_is_known_by_the_surname(authors, names):
    assert surnames(CatalogueEntry(book_id="7", authors=authors)) == names


# ---- the reference works ----


def read_signature(file, title, author, book_id):
    data = (GUTENBERG / file).read_bytes()
    entry = CatalogueEntry(book_id=book_id, title=title, authors=tuple(author.split("; ")))
    raw = RawBook(entry=entry, file=file, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    return sign_raw(raw)


@pytest.fixture(scope="module")
def reference():
    """Signatures by work: every file of it, under an id of its own."""
    if not (GUTENBERG / "INDEX.csv").exists():
        pytest.skip("the shared test corpus is not beside the checkout")
    with (GUTENBERG / "INDEX.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    works = {}
    for at, row in enumerate(rows):
        files = works.setdefault(row["id"], [])
        files.append(read_signature(row["file"], row["title"], row["author"], f"{row['id']}.{at:03}"))
    return works


def test_of_the_80_works_only_one_is_a_duplicate(reference):
    works = [files[0].model_copy(update={"book_id": book_id}) for book_id, files in reference.items()]
    assert len(works) == 80
    found = find_duplicates(works, SETTINGS)
    assert {*found} < {"33", "25344"}
    assert len(found) == 1
    assert next(iter(found.values())).similarity == pytest.approx(0.91, abs=0.03)


def test_all_files_of_one_work_are_one_book(reference):
    found = find_duplicates([one for files in reference.values() for one in files], SETTINGS)
    kept = [one.book_id.split(".")[0] for files in reference.values() for one in files if one.book_id not in found]
    assert sorted(kept) == sorted({*reference} - {"33"})
    others = {one.book_id: one.duplicate_of for one in found.values() if one.book_id[:3] != "33."}
    assert len(others) == 24
    assert all(book_id.split(".")[0] == stays.split(".")[0] for book_id, stays in others.items())


def test_a_volume_of_a_real_novel_is_a_part_of_it(reference):
    file = next(iter(sorted((GUTENBERG / "mirror/1/3/135").glob("135-0.txt"))))
    lines = file.read_bytes().split(b"\r\n")
    entry = CatalogueEntry(book_id="1", title="Les Misérables, v. 2/5", authors=("Victor Hugo",), languages=("en",))
    data = b"\r\n".join(lines[len(lines) // 5 : 2 * len(lines) // 5])
    raw = RawBook(entry=entry, file="v2.txt", source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    volume = sign_raw(raw)
    books = [one for files in reference.values() for one in files[:1]]
    found = find_duplicates([volume, *books], SETTINGS)["1"]
    assert (found.duplicate_of.split(".")[0], found.likeness) == ("135", "part")
    assert found.similarity > 0.95
