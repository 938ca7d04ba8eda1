"""Whether the filter policy of a subscription lets a message pass.

As SNS documents it: every key must match, and one condition of a key is enough. A missing attribute matches nothing but
`{"exists": false}`; `anything-but` does not match it either. The scope says where the keys are: in the attributes, which are
all of the type String here, or in a body that is JSON.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
"""

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ATTRIBUTES, BODY = "MessageAttributes", "MessageBody"
"""The scopes of a filter policy."""
_OR = "$or"
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class UnknownFilter(Exception):
    """A filter policy that this release cannot evaluate. The text says why."""


@dataclass(frozen=True, slots=True)
class FilterPolicy:
    """A filter policy, and where its keys are looked up."""

    policy: Mapping[str, Any]
    scope: str = ATTRIBUTES

    def passes(self, attributes: Mapping[str, str], body: str) -> bool:
        """Whether a message passes. Raises UnknownFilter."""
        if self.scope == ATTRIBUTES:
            return _matches(self.policy, attributes)
        try:
            message = json.loads(body)
        except ValueError:
            return False
        return isinstance(message, dict) and _matches(self.policy, message)

    def failing_keys(self, attributes: Mapping[str, str], body: str) -> list[str]:
        """The keys at the top of the policy that keep a message from passing. Raises UnknownFilter."""
        keys = self.policy.items()
        return [key for key, rule in keys if not FilterPolicy({key: rule}, self.scope).passes(attributes, body)]


def read_filter_policy(text: str, scope: str = ATTRIBUTES) -> FilterPolicy:
    """Parse the attribute FilterPolicy of a subscription. Raises UnknownFilter."""
    try:
        policy = json.loads(text)
    except ValueError as exc:
        raise UnknownFilter("the policy is not JSON") from exc
    if not isinstance(policy, dict) or scope not in (ATTRIBUTES, BODY):
        raise UnknownFilter("the policy is not an object, or its scope is unknown")
    return FilterPolicy(policy, scope)


def _matches(policy: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    return all(_key_matches(key, rule, message) for key, rule in policy.items())


def _key_matches(key: str, rule: object, message: Mapping[str, Any]) -> bool:
    if key == _OR and isinstance(rule, list) and all(isinstance(it, dict) for it in rule):
        return any(_matches(alternative, message) for alternative in rule)
    if isinstance(rule, dict):  # keys of a nested object
        children = [it for it in _values(message, key) if isinstance(it, dict)] or [{}]
        return any(_matches(rule, child) for child in children)
    if not isinstance(rule, list):
        raise UnknownFilter(f"the rule of {key} is neither a list nor an object")
    values = list(_values(message, key))
    return any(_condition_holds(condition, values) for condition in rule)


def _values(message: Mapping[str, Any], key: str) -> Iterator[Any]:
    """The values of a key: one, or each item of a list."""
    value = message.get(key, ...)
    pending = [] if value is ... else [value]
    while pending:
        it = pending.pop(0)
        if isinstance(it, list):
            pending = [*it, *pending]
        else:
            yield it


def _condition_holds(condition: object, values: Sequence[Any]) -> bool:
    if isinstance(condition, dict) and condition.keys() == {"exists"}:
        return bool(values) is (condition["exists"] is True)
    test = _test(condition)
    return any(test(value) for value in values)


def _test(condition: object) -> Callable[[Any], bool]:
    """What a condition asks of one value. Raises UnknownFilter."""
    if not isinstance(condition, dict):
        return lambda value: _equal(condition, value)
    if len(condition) != 1:
        raise UnknownFilter(f"a condition must have one operator, not {len(condition)}")
    [(name, asked)] = condition.items()
    if name not in _OPERATORS:
        raise UnknownFilter(f"the operator {name} is unknown")
    try:
        return _OPERATORS[name](asked)
    except (ValueError, TypeError, AttributeError, KeyError) as exc:
        raise UnknownFilter(f"the operator {name} has an invalid value") from exc


def _equal(asked: object, value: object) -> bool:
    if isinstance(asked, bool) or asked is None or isinstance(value, bool):
        return value is asked
    if isinstance(asked, (int, float)):
        return isinstance(value, (int, float)) and value == asked
    return isinstance(value, str) and value == asked


def _text(test: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and test(value)


def _asked_text(asked: object) -> str:
    if not isinstance(asked, str):
        raise TypeError("the operator asks for a text")
    return asked


def _prefix(asked: str) -> Callable[[Any], bool]:
    wanted = _asked_text(asked)
    return _text(lambda value: value.startswith(wanted))


def _suffix(asked: str) -> Callable[[Any], bool]:
    wanted = _asked_text(asked)
    return _text(lambda value: value.endswith(wanted))


def _ignore_case(asked: str) -> Callable[[Any], bool]:
    folded = _asked_text(asked).casefold()
    return _text(lambda value: value.casefold() == folded)


def _wildcard(asked: str) -> Callable[[Any], bool]:
    """An asterisk matches any text. A backslash before it makes it an ordinary character."""
    parts = re.findall(r"\\.|\*|[^\\*]+", asked, re.DOTALL)
    pattern = "".join(".*" if it == "*" else re.escape(it.removeprefix("\\")) for it in parts)
    return _text(lambda value: re.fullmatch(pattern, value, re.DOTALL) is not None)


def _anything_but(asked: object) -> Callable[[Any], bool]:
    """Values, or one operator with a value or several of these."""
    tests: list[Callable[[Any], bool]]
    if isinstance(asked, dict):
        [(name, values)] = asked.items()
        tests = [_test({name: it}) for it in (values if isinstance(values, list) else [values])]
    else:
        tests = [_test(it) for it in (asked if isinstance(asked, list) else [asked])]
    return lambda value: not any(test(value) for test in tests)


def _numeric(asked: Sequence[Any]) -> Callable[[Any], bool]:
    pairs = [(_COMPARISONS[name], float(bound)) for name, bound in zip(asked[::2], asked[1::2], strict=True)]
    return lambda value: (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and all(compare(value, bound) for compare, bound in pairs)
    )


def _cidr(asked: str) -> Callable[[Any], bool]:
    network = ipaddress.ip_network(asked)

    def test(value: str) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return _text(test)


_OPERATORS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}
