"""No expression sent to DynamoDB names an attribute by a reserved word: AWS refuses that, and moto does not.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import moto.dynamodb.parsing
import pytest

ROOT = Path(__file__).parents[1]
RESERVED = set(
    (Path(moto.dynamodb.parsing.__file__).parent / "reserved_keywords.txt").read_text().lower().split()
)
NAMES = re.compile(r"(?<![#:\w])[a-z_]\w*(?!\w*\()")  # not placeholders, functions or operators in capitals


def expressions(tree: ast.AST) -> Iterator[str]:
    """The constant parts of what is passed or kept as an …Expression, and of what updates are made of."""
    for node in ast.walk(tree):
        pairs: list[tuple[str | None, ast.expr]] = []
        if isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Dict):
            keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
            pairs = list(zip(keys, node.values, strict=True))
        for name, value in pairs:
            if isinstance(name, str) and name.endswith("Expression"):
                yield from texts(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "if_not_exists(" in node.value:
            yield node.value


def texts(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize(
    ("path", "expression"),
    [
        (path.relative_to(ROOT).as_posix(), text)
        for path in sorted((ROOT / "processor").rglob("*.py"))
        for text in expressions(ast.parse(path.read_text(encoding="utf-8")))
    ],
)
def test_no_attribute_is_a_reserved_word(path: str, expression: str) -> None:
    assert not set(NAMES.findall(expression)) & RESERVED, path


def test_the_test_sees_what_it_should() -> None:
    source = (
        'f(KeyConditionExpression="stream = :s AND x >= :y")\ng = {"UpdateExpression": f"ADD values {h}"}'
    )
    found = {name for text in expressions(ast.parse(source)) for name in NAMES.findall(text)}
    assert found == {"stream", "x", "values"}
    assert {"stream", "values"} <= RESERVED
