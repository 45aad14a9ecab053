"""Settings: one class per stage; every field has a default, bounds and a description."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.corpus_settings import (
    CleanSettings,
    DecontaminateSettings,
    DuplicateSettings,
    FetchSettings,
    RefreshSettings,
    ScreenSettings,
    SegmentSettings,
    SelectSettings,
    SignSettings,
    SourceSettings,
)
from schemas.recipe_settings import OutlineSettings, StorySettings
from schemas.value import Value

Recipe = Literal["prompt-to-book", "outline-to-text", "tagged-story", "title-to-story"]
STORY_RECIPES: tuple[Recipe, ...] = ("tagged-story", "title-to-story")  # made of files of stories, not of books
BookLayout = Literal["full-book", "first-chapter", "chapter-window"]  # of prompt-to-book
Layout = Literal["full-book", "first-chapter", "chapter-window", "outline-to-text", "tagged-story", "title-to-story"]
TargetRole = Literal[
    "book_preview",
    "book_plan",
    "first_chapter_plan",
    "first_chapter_scene_breakdown",
    "first_chapter_text",
    "full_book_chapters_plan",
    "book_characters_list",
    "scene_breakdown",
    "chapter_text",
]  # what a row of a book may be trained on
Weight = Annotated[float, Field(ge=0.0, le=1_000.0, allow_inf_nan=False)]  # of tokens in the loss; 0 is context
LADDER = (8_192, 32_768, 65_536, 131_072, 262_144)  # contexts of chapter-window (DESIGN section 6)


class ChunkSettings(Value):
    """Chapter -> windows under a token budget."""

    window_tokens: int = Field(
        6_000, ge=200, description="most tokens of text in one request, in the reader's tokenizer"
    )


class TokenSettings(Value):
    """The two tokenizers: a name that tiktoken knows, or a file (.tiktoken, tokenizer.json, tekken.json)."""

    reader: str = Field(
        "auto",
        description="of the summarising model; 'server' asks its /tokenize; 'auto': 'server' for a URL, else 'samples'",
    )
    trainee: str = Field(
        "samples", description="of the model to be trained; 'samples' is the small vocabulary kept in samples/"
    )


class LLMSettings(Value):
    """Who answers: `builtin`, or any OpenAI-compatible server."""

    url: str = Field(
        "builtin",
        description="'builtin' (extractive, no model), or a base URL such as http://127.0.0.1:8000/v1; several "
        "replicas of one model are separated by commas",
    )
    model: str | None = Field(None, description="the server's model id; may be left out where it serves only one")
    revision: str | None = Field(None, description="of the model: part of every answer's key")
    temperature: float = Field(0.7, ge=0.0, le=2.0)
    top_p: float = Field(0.95, gt=0.0, le=1.0)
    seed: int = Field(0, ge=0, description="part of every answer's key: another seed asks for other answers")
    send_seed: bool = Field(
        False, description="send the seed, too: repeatable draws; vLLM 0.32 on a CPU dies of it with long prompts"
    )
    fallback_model: str | None = Field(None, description="asked where every answer of the first model was refused")
    fallback_url: str | None = Field(None, description="of the fallback model; default: the same servers")
    max_num_seqs: int | None = Field(
        None, ge=1, description="sequences that one server runs at once, if known: in-flight requests start there"
    )
    max_in_flight: int = Field(
        256, ge=1, le=4096, description="most requests on the wire at once, all servers together"
    )
    num_processes: int = Field(1, ge=1, description="flow processes that share the servers, and so max_in_flight")
    timeout_s: float = Field(900.0, gt=0.0, description="seconds to wait for one answer")
    connect_attempts: int = Field(5, ge=1, description="tries of one request while the server is busy or away")
    answers: str | None = Field(
        None, description="answer store: a SQLite file (default: in the work folder), or postgresql://host/database"
    )


class CostSettings(Value):
    """Rates and the budget of a run; one currency throughout."""

    gpu_hour: float = Field(2.0, ge=0.0, description="price of one GPU for an hour")
    num_gpus: int = Field(1, ge=1, description="GPUs that serve the model")
    input_price: float = Field(
        0.0, ge=0.0, description="per million prompt tokens that no cache held, where tokens are paid"
    )
    cached_price: float = Field(0.0, ge=0.0, description="per million prompt tokens from the cache")
    output_price: float = Field(0.0, ge=0.0, description="per million tokens of answers")
    budget: float | None = Field(
        None, gt=0.0, description="a run that has cost this much sends nothing more, and stops"
    )


class SummarizeSettings(Value):
    """SegmentedBook -> Scaffold."""

    num_ratings: int = Field(3, ge=1, le=16, description="samples of the rate call; their mean is kept")
    max_prompt_words: int = Field(250, ge=20, description="length of the longest user prompt")
    context_tokens: int = Field(
        8_000,
        ge=200,
        description="most tokens of what a call about the whole book is told; longer books are merged by level",
    )


class VerifySettings(Value):
    """Scaffold + text -> Findings."""

    mode: Literal["report", "enforce"] = Field(
        "report", description="'report': findings are stored and trigger nothing; 'enforce': they refuse answers, too"
    )
    claims: bool = Field(False, description="let the model hold every statement of a chapter against its paragraphs")
    max_copied_words: int = Field(8, ge=1, description="longest run of words that a plan may share with the prose")


class ComposeSettings(Value):
    """Scaffold + text -> Trajectory."""

    layouts: tuple[BookLayout, ...] = Field(("full-book", "first-chapter", "chapter-window"), min_length=1)
    windows: tuple[int, ...] = Field(
        LADDER, min_length=1, description="rungs of chapter-window, in the trainee's tokens"
    )
    full_book_window: int = Field(262_144, ge=1_024)
    first_chapter_window: int = Field(32_768, ge=1_024)
    plan_loss: Weight = Field(1.0, description="weight of plan tokens in training")
    prose_loss: Weight = Field(1.0, description="weight of prose tokens in training")
    role_loss: dict[TargetRole, Weight] = Field(
        {}, description="weight of the tokens of single roles, such as scene_breakdown = 0.5; 0 makes them context"
    )
    held_out_share: float = Field(0.02, ge=0.0, le=0.5, description="share of authors in validation, and again in test")


class ShardSettings(Value):
    """Trajectory -> Parquet + Manifest."""

    num_buckets: int = Field(8, ge=1, le=4096, description="fixed at a data set's first snapshot")
    row_group_bytes: int = Field(16_000_000, ge=1_000, description="least text in one row group; twice as much at most")


class TrainSettings(Value):
    """Manifest -> TrainingRun: LoRA fine-tuning."""

    after_build: bool = Field(False, description="start the finetune flow when a build has ended")
    allow_untrainable: bool = Field(
        False, description="train on rows whose plans quote the prose: for demonstrations only"
    )
    model: str = Field(
        "random", description="'random' (a tiny model with random weights), or a folder of a Hugging Face model"
    )
    layouts: tuple[Layout, ...] = Field(("chapter-window",), min_length=1)
    max_tokens: int = Field(8_192, ge=64, description="longer rows are left out, and counted")
    steps: int = Field(20, ge=1)
    batch_tokens: int = Field(8_192, ge=64, description="tokens packed into one step")
    learning_rate: float = Field(1e-3, gt=0.0)
    warmup_steps: int = Field(2, ge=0)
    max_grad_norm: float = Field(1.0, gt=0.0)
    lora_rank: int = Field(8, ge=1)
    lora_alpha: int = Field(32, ge=1)
    lora_dropout: float = Field(0.05, ge=0.0, lt=1.0)
    lora_targets: tuple[str, ...] = Field(("q_proj",), min_length=1)
    checkpoint_steps: int = Field(10, ge=1)
    seed: int = Field(0, ge=0)
    timeout_s: float = Field(86_400.0, gt=0.0, description="seconds after which the training process is ended")
    python: str | None = Field(None, description="interpreter of the training process; default: this one")


class Settings(Value):
    """Everything a run is told. A profile in deploy/profiles/ holds what differs from these defaults."""

    recipe: Recipe = Field("prompt-to-book", description="what is made of what: which layouts, from books or stories")
    out: str = Field("data/samples", min_length=1, description="folder or s3:// URL of the data set")
    work: str | None = Field(None, min_length=1, description="folder or URL of the work store; default: work/ in `out`")
    max_workers: int = Field(4, ge=1, le=512, description="books in work at once")
    source: SourceSettings = SourceSettings()
    select: SelectSettings = SelectSettings()
    fetch: FetchSettings = FetchSettings()
    clean: CleanSettings = CleanSettings()
    screen: ScreenSettings = ScreenSettings()
    sign: SignSettings = SignSettings()
    duplicates: DuplicateSettings = DuplicateSettings()
    segment: SegmentSettings = SegmentSettings()
    decontaminate: DecontaminateSettings = DecontaminateSettings()
    chunk: ChunkSettings = ChunkSettings()
    tokens: TokenSettings = TokenSettings()
    llm: LLMSettings = LLMSettings()
    cost: CostSettings = CostSettings()
    summarize: SummarizeSettings = SummarizeSettings()
    verify: VerifySettings = VerifySettings()
    compose: ComposeSettings = ComposeSettings()
    outline: OutlineSettings = OutlineSettings()
    stories: StorySettings = StorySettings()
    shard: ShardSettings = ShardSettings()
    refresh: RefreshSettings = RefreshSettings()
    train: TrainSettings = TrainSettings()
