"""Request -> answer without a model or a network: sentences of the text itself, and measured facts."""

from __future__ import annotations

from schemas.settings import LLMSettings
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.engine import Engine
from tasks.backends.llms.question import Completion, Question
from tasks.extraction import extractive
from tasks.extraction.extractive import answer_extractively
from tasks.keys import code_digest
from tasks.protocols import Request


class BuiltinLLM(Engine):
    """The extractive default: every call is answered from `request.inputs`, the same way every time."""

    def __init__(self, settings: LLMSettings, store: AnswerStore) -> None:
        super().__init__(settings, store, "builtin/extractive", code_digest(extractive.__name__)[:12])

    @property
    def trainable(self) -> bool:
        """No: its plans quote the prose that they are plans of."""
        return False

    def keyed(self, request: Request, messages: list[dict[str, str]]) -> list[dict[str, str]]:
        """Return the call and its inputs: the messages shape nothing."""
        return [{"role": request.call, "content": request.inputs.model_dump_json()}]

    async def complete(self, question: Question) -> list[Completion]:
        """Answer from the inputs; all samples are equal."""
        text = answer_extractively(question.request.call, question.request.inputs).model_dump_json()
        return [Completion(text)] * len(question.keys)
