"""A book to be planned, answers to every call about it, and the stage that plans it."""

from __future__ import annotations

from schemas.answers import (
    ArcAnswer,
    ArchetypeAnswer,
    ArcsAnswer,
    BulletAnswer,
    CharacterAnswer,
    ClaimAnswer,
    ClaimsAnswer,
    PartAnswer,
    PeopleAnswer,
    PersonAnswer,
    PreviewAnswer,
    PromptsAnswer,
    RateAnswer,
    RatingAnswer,
    ReadAnswer,
    SceneAnswer,
    StyleAnswer,
    WorldAnswer,
)
from schemas.settings import ChunkSettings, SummarizeSettings, VerifySettings
from tasks.summarize import summarize_book
from tests.fakes import FakeLLM, WordTokenizer

PARAGRAPHS = [
    "Anna Reed came down to the mill before the others were awake.",
    "The wheel stood still, and the pond had gone the colour of slate.",
    "In the evening her brother walked home along the ford, singing.",
    "He had sold the grey horse and would not say for how much.",
]


def rate(scene, value):
    names = ("action", "dialog", "world_building", "exposition", "romantic", "erotic", "pacing")
    return RatingAnswer(scene=scene, **dict.fromkeys(names, value))


def scene(first, opening, title="Scene", text="Anna waits."):
    bullet = BulletAnswer(text=text, paragraphs=(first,))
    return SceneAnswer(
        first_paragraph=first,
        opening=opening,
        title=title,
        focuses=("Waiting; or not", "Waiting, or not"),
        perspective="Third person",
        bullets=(bullet,),
    )


def arc(first, last, name="An arc"):
    return ArcAnswer(name=name, first_chapter=first, last_chapter=last, short=("A",), medium=("B",), long=("C",))


ANSWERS = {
    "read": ReadAnswer(
        continues=False,
        scenes=(scene(0, PARAGRAPHS[0][:40]), scene(2, PARAGRAPHS[2][:40], "Home")),
        bullets=(BulletAnswer(text="Anna, the miller's daughter, waits.", paragraphs=(0, 99)),),
        focuses=("Waiting",),
        chapter_title="At the Ford",
        people=(PersonAnswer(name="Anna Reed", aliases=("Anna",), role="The miller's daughter."),),
    ),
    "rate": RateAnswer(ratings=(rate(0, 10), rate(1, 40))),
    "claims": ClaimsAnswer(claims=(ClaimAnswer(statement=0, paragraph=0, evidence="Anna", verdict="supported"),)),
    "people": PeopleAnswer(
        main=(CharacterAnswer(name="Anna Reed", aliases=("Anna",), bullets=("She keeps the mill.",)),),
        side=(CharacterAnswer(name=" ", aliases=(), bullets=("Nobody.",)),),
        archetypes=(ArchetypeAnswer(name="The Keeper", bullets=("She stays.",)),),
    ),
    "parts": PartAnswer(bullets=("The mill stops.",)),
    "arcs": ArcsAnswer(arcs=(arc(1, 1),)),
    "world": WorldAnswer(rules=("Water is owned by the abbey.", "Water is owned by the abbey.")),
    "style": StyleAnswer(rules=("Plain.",)),
    "preview": PreviewAnswer(highlight="A mill.", tags=("mill",) * 7, archetype="One who stays."),
    "prompts": PromptsAnswer(
        terse="Write about a mill.",
        normal="Please write about a mill.",
        detailed="I want a mill. " * 30,
        tagged="Tell of a mill.",
        genre="country <tale>",
        tone="calm",
        setting="a ford",
        pov="third person",
        theme="staying",
    ),
}


def script(request, **others):
    return {**ANSWERS, **others}[request.call]


def summarize(book, llm=None, window_tokens=400, num_ratings=2, context_tokens=8_000, checks=None):
    return summarize_book(
        book,
        SummarizeSettings(num_ratings=num_ratings, max_prompt_words=40, context_tokens=context_tokens),
        llm=llm or FakeLLM(script),
        reader=WordTokenizer(),
        chunk=ChunkSettings(window_tokens=window_tokens),
        checks=checks or VerifySettings(),
    )
