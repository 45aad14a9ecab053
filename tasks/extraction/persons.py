"""People as they were listed here and there -> who of them is one person.

"Mr. Darcy", "Darcy" and "Fitzwilliam Darcy" are one; "Mr. Bennet" and "Mrs. Bennet" two; "Miss Bennet" may be either
of two sisters and joins neither. A form that fits two people fits none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from itertools import combinations, product
from typing import NamedTuple

from tasks.extraction.lexicons import FEMALE_NAMES, FEMALE_WORDS, MALE_NAMES, MALE_WORDS, TITLES

_OF_GIVEN_NAMES = frozenset(  # titles that stand before a given name, too; the others mean the surname
    ("Miss", "Sir", "Lady", "Lord", "Father", "Mother", "Sister", "Brother", "Aunt", "Uncle", "Cousin", "Prince")
) | {"Princess", "King", "Queen", "Old", "Young", "Little", "Poor", "Dear", "Master", "Madam", "Count", "Countess"}
_PARTICLES = frozenset(("de", "van", "von", "la", "du", "le"))
_MARRIED = frozenset(("Mrs", "Lady", "Madame", "Mother", "Aunt", "Countess", "Duchess", "Queen"))
_UNMARRIED = frozenset(("Ms", "Miss", "Mademoiselle", "Princess"))
_MEN = frozenset(
    ("Mr", "Sir", "Lord", "Monsieur", "Captain", "Colonel", "Judge", "Father", "Brother", "Uncle", "Count", "Duke")
) | {"Prince", "King", "Baron", "Squire", "Master", "General", "Major", "Lieutenant", "Sergeant", "Reverend", "Rev"}
_SEXES = (_MARRIED, _UNMARRIED, _MEN)  # two forms with titles of two of these mean two people


class Listed(NamedTuple):
    """A person as one list has it."""

    name: str
    aliases: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class Form(NamedTuple):
    """A name without its titles."""

    titles: frozenset[str]
    core: tuple[str, ...]

    @property
    def is_full(self) -> bool:
        """Whether it has a given name and a surname."""
        return len(self.core) > 1


@cache
def parse_form(name: str) -> Form:
    """Split a name into titles and proper words; "the old butler" has neither."""
    tokens = [token.strip(".,") for token in name.replace("’", "'").removesuffix("'s").split()]
    proper = [token for token in tokens if token[:1].isupper() or token in _PARTICLES]
    core = tuple(token for token in proper if token not in TITLES)
    return Form(frozenset(token for token in proper if token in TITLES), core if set(core) - _PARTICLES else ())


def unite_people(
    people: Sequence[Listed],
    apart: Callable[[str, str], bool] = lambda one, other: False,
    surnames: Collection[str] = (),
) -> list[int]:
    """Return for each listed person the index of the first one who is the same person.

    Args:
        people: each name once.
        apart: says of two names whether a list has them side by side, and so as two people.
        surnames: words that the text has after Mr. and the like, beside those that the names themselves show.
    """
    circle = _Circle(people, apart, surnames)
    while circle.join_equal() or circle.join_by_name() or circle.join_by_alias():
        pass
    return circle.owner


class _Circle:
    """People who are being united: `owner` gives each one's group.

    A long novel has thousands of names, so what is known of a group, and whom a name may mean, is kept until one of the
    groups it rests on changes.
    """

    def __init__(self, people: Sequence[Listed], apart: Callable[[str, str], bool], surnames: Collection[str]) -> None:
        self.people, self.apart = people, apart
        self.owner = list(range(len(people)))
        self._groups = {index: [index] for index in self.owner}
        self._sexes: dict[int, str] = {}
        self._found: dict[int, set[int]] = {}  # what `_find_hosts` returns, by index
        self.forms = [parse_form(person.name) for person in people]
        self.index = {person.name.casefold(): index for index, person in enumerate(people)}
        given = {form.core[0] for form in self.forms if form.is_full}
        named = (form for form in self.forms if form.is_full or (form.core and form.titles))
        self.surnames = {
            form.core[-1]
            for form in named
            if form.is_full or form.titles - _OF_GIVEN_NAMES or form.core[0] not in given
        }.union(surnames)
        places = _place_tokens(self.forms)
        self._fitting = [_find_fitting(form, self.forms, places) for form in self.forms]
        self._fitted_by: dict[int, list[int]] = {}
        for index, hosts in enumerate(self._fitting):
            for host in hosts:
                self._fitted_by.setdefault(host, []).append(index)

    def join_equal(self) -> bool:
        """Join names of several words that differ in their titles alone; say whether any was joined."""
        alike: dict[tuple[str, ...], list[int]] = {}
        for index, form in enumerate(self.forms):
            if form.is_full:
                alike.setdefault(form.core, []).append(index)
        pairs = sorted(pair for equal in alike.values() for pair in combinations(equal, 2))
        return sum(self._join(one, other) for one, other in pairs) > 0

    def join_by_alias(self) -> bool:
        """Join whom one person's list of aliases names, unless two people claim the name; say whether any was."""
        claims: dict[int, set[int]] = {}
        for index, person in enumerate(self.people):
            for alias in person.aliases:
                claimed = self.index.get(alias.casefold())
                if claimed is None or self.owner[claimed] == self.owner[index]:
                    continue
                if self._is_proof(self.forms[index], self.forms[claimed]):
                    claims.setdefault(claimed, set()).add(self.owner[index])
        alone = [(claimed, owners.pop()) for claimed, owners in claims.items() if len(owners) == 1]
        return sum(self._join(claimed, owner, claimed=True) for claimed, owner in alone) > 0

    def join_by_name(self) -> bool:
        """Join each shorter form to the one group that it fits; say whether any was joined."""

        def rank(index: int) -> tuple[int, bool, int]:
            form = self.forms[index]
            return -len(form.core), not form.titles & _MEN, index

        order = sorted(range(len(self.people)), key=rank)
        for index in order:
            hosts = self._find_hosts(index)
            if len(hosts) == 1 and self._join(index, next(iter(hosts))):
                return True
        return False

    def _find_hosts(self, index: int) -> set[int]:
        if index not in self._found:
            self._found[index] = self._look_for_hosts(index)
        return self._found[index]

    def _look_for_hosts(self, index: int) -> set[int]:
        form = self.forms[index]
        fitting = {self.owner[other] for other in self._fitting[index]} - {self.owner[index]}
        agreeing = {group for group in fitting if self._may_join(self.owner[index], group)}
        if len(agreeing) > 1 and form.titles and not form.is_full:
            same = {group for group in agreeing if self._has_titled_given_name(group, form)}
            agreeing = same or agreeing
        if not form.is_full and form.core and form.core[0] in self.surnames:
            agreeing = self._rule_out(form, fitting, agreeing)
        return agreeing

    def _rule_out(self, form: Form, fitting: set[int], agreeing: set[int]) -> set[int]:
        """Return whom a surname alone may mean: without a title a man, with one whoever has no rival of the sex."""
        if not form.titles:
            men = {group for group in agreeing if self._sex(group) == "m"}
            return men or {group for group in agreeing if self._sex(group) != "f"}
        opposite = {"f": "m", "m": "f"}.get(_titled_sex([form]))
        rivals = [
            group
            for group in fitting
            if self._sex(group) != opposite and any(other.is_full for other in self._group_forms(group))
        ]
        if opposite == "m":
            agreeing = {group for group in agreeing if self._sex(group) == "f"}
        return agreeing if len(rivals) < 2 else set()

    def _has_titled_given_name(self, group: int, form: Form) -> bool:
        """Say whether a group has this title before this given name: Lady Catherine is Lady Catherine de Bourgh."""
        return any(
            other.titles & form.titles and other.core[:1] == form.core for other in self._group_forms(group)
        ) and (form.core[0] not in self.surnames)

    def _is_proof(self, form: Form, alias: Form) -> bool:
        """Say whether an alias that is also listed by itself is the same person: a whole name of its own is not."""
        if not form.core or not alias.core:
            return False
        if fits(alias, form) or fits(form, alias) or (form.is_full and alias.is_full and form.core[0] == alias.core[0]):
            return True
        return not alias.titles and not alias.is_full and alias.core[0] not in self.surnames

    def _join(self, one: int, other: int, *, claimed: bool = False) -> bool:
        first, second = sorted((self.owner[one], self.owner[other]))
        if first == second or not self._may_join(first, second, claimed=claimed):
            return False
        members = sorted(self._groups[first] + self._groups.pop(second))
        self._groups[first] = members
        for index in members:
            self.owner[index] = first
            for changed in (index, *self._fitted_by.get(index, ())):
                self._found.pop(changed, None)
        self._sexes.pop(first, None)
        return True

    def _may_join(self, one: int, other: int, *, claimed: bool = False) -> bool:
        sexes = {self._sex(one), self._sex(other)} - {""}
        pairs = product(self._members(one), self._members(other))
        return len(sexes) < 2 and all(self._may_be_one(first, second, claimed) for first, second in pairs)

    def _may_be_one(self, one: int, other: int, claimed: bool) -> bool:
        """Say whether nothing speaks against two names; `claimed` by an alias, Mina Murray may be Mina Harker."""
        first, second = self.forms[one], self.forms[other]
        if first.core != second.core and self.apart(self.people[one].name, self.people[other].name):
            return False
        if sum(bool((first.titles | second.titles) & titles) for titles in _SEXES) > 1:
            return False
        if first.is_full and second.is_full:
            return fits(first, second) or fits(second, first) or (claimed and first.core[0] == second.core[0])
        return True

    def _members(self, group: int) -> list[int]:
        return self._groups[group]

    def _group_forms(self, group: int) -> list[Form]:
        return [self.forms[index] for index in self._members(group)]

    def _sex(self, group: int) -> str:
        if group not in self._sexes:
            self._sexes[group] = self._weigh_sex(group)
        return self._sexes[group]

    def _weigh_sex(self, group: int) -> str:
        """Return 'f', 'm' or '': from titles, else aliases, else the given name, else what is told of the person."""
        members = [self.people[index] for index in self._members(group)]
        forms = self._group_forms(group)
        aliases = [parse_form(alias) for person in members for alias in person.aliases]
        words = Counter(word for person in members for role in person.roles for word in role.lower().split()[:12])
        return (
            _titled_sex(forms)
            or _titled_sex([alias for alias in aliases if any(fits(alias, form) for form in forms)])
            or next((sex for form in forms if (sex := _given_sex(form, self.surnames))), "")
            or _heavier(sum(words[word] for word in FEMALE_WORDS), sum(words[word] for word in MALE_WORDS))
        )


def _place_tokens(forms: Sequence[Form]) -> dict[str, set[int]]:
    """Return which forms have a token, and, by its first letter, which have one that begins so (key 'D*')."""
    places: dict[str, set[int]] = {}
    for index, form in enumerate(forms):
        for token in form.core:
            places.setdefault(token, set()).add(index)
            places.setdefault(f"{token[:1]}*", set()).add(index)
    return places


def _find_fitting(form: Form, forms: Sequence[Form], places: Mapping[str, set[int]]) -> list[int]:
    """Return the forms that this one fits: only those that have its first token, or an initial for or of it."""
    if not form.core:
        return []
    first = form.core[0]
    keys = (first, first[:1], f"{first}*") if len(first) == 1 else (first, first[:1])
    candidates = set[int]().union(*(places.get(key, ()) for key in keys))
    return sorted(index for index in candidates if fits(form, forms[index]))


def fits(form: Form, host: Form) -> bool:
    """Say whether a form may be a shorter one of another, or the same: Darcy of Fitzwilliam Darcy."""
    short, long = form.core, host.core
    if not short or len(short) > len(long) or (short == long and form.titles and not host.titles and not form.is_full):
        return False
    if len(short) == 1 and form.titles - _OF_GIVEN_NAMES:
        return short[0] == long[-1]
    rest = iter(long)
    inside = all(any(_same(token, other) for other in rest) for token in short)
    return inside and (_same(short[0], long[0]) or _same(short[-1], long[-1]))


def _same(token: str, other: str) -> bool:
    return token == other or (len(token) == 1 and other[:1] == token) or (len(other) == 1 and token[:1] == other)


def _titled_sex(forms: Sequence[Form]) -> str:
    titles = frozenset(title for form in forms for title in form.titles)
    return _heavier(bool(titles & (_MARRIED | _UNMARRIED)), bool(titles & _MEN))


def _given_sex(form: Form, surnames: set[str]) -> str:
    given = form.core[0] if form.core else ""
    if not given or (not form.is_full and given in surnames):
        return ""
    if given in MALE_NAMES:
        return "m"
    return "f" if given in FEMALE_NAMES or given.endswith("a") else ""


def _heavier(female: int, male: int) -> str:
    return "f" if female > male else "m" if male > female else ""
