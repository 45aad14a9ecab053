"""Books of distinct prose and models that outline them, for the tests of `outline-to-text`."""

from __future__ import annotations

from schemas.answers import BulletAnswer, OutlineAnswer
from schemas.questions import ReadInputs
from schemas.recipe_settings import OutlineSettings
from schemas.settings import VerifySettings
from tasks.outline import outline_book
from tasks.protocols import Failure
from tests.fakes import FakeLLM, WordTokenizer, build_book

NOUNS = ("kettle", "ladder", "anchor", "basket", "lantern", "saddle", "bottle", "window", "button", "ribbon", "hammer")


def write_paragraph(number, num_words=40):
    """Prose of so many words that no other number gives: each word but the fillers has the number in it."""
    words = [f"{NOUNS[(number * 5 + at) % len(NOUNS)]}{number}" if at % 3 else "and" for at in range(num_words - 1)]
    return f"Mara {' '.join(words)}."


def write_book(*chapters):
    """A book of chapters, each given as its scenes' numbers of paragraphs."""
    counter = iter(range(10_000))
    return build_book(
        *[[[write_paragraph(next(counter)) for _ in range(size)] for size in sizes] for sizes in chapters]
    )


def tell(request):
    """Three statements about a passage, resting on its first paragraph."""
    assert isinstance(request.inputs, ReadInputs)
    first = request.inputs.paragraphs[0].number
    lines = ("She sets out before light.", "- What she finds\nis gone.", "She says nothing of it.")
    return OutlineAnswer(bullets=tuple(BulletAnswer(text=line, paragraphs=(first,)) for line in lines))


def refuse(*places):
    """A script that has no answer for some passages."""

    def script(request):
        if request.node in {f"passage {place}" for place in places}:
            return Failure("length", "cut at 1536 tokens", ("ab",), "{")
        return tell(request)

    return script


def outline(book, script=tell, checks=None, *, trainable=True, **settings):
    """The outlines of a book by a scripted model, in passages of 100 tokens unless told otherwise."""
    return outline_book(
        book,
        OutlineSettings(**{"passage_tokens": 100, **settings}),
        llm=FakeLLM(script, trainable=trainable),
        trainee=WordTokenizer(),
        checks=checks or VerifySettings(),
    )
