"""A scalar as bytes and back, with a tag byte for its type: the text "1" and the number 1 differ.

Equal values of one type have one form, because equal values must get equal tokens: DynamoDB's numbers 1, 1.0
and 1E0 are one number, and come back as the `int` 1.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation

NUMBER_DIGITS_MAX = 38  # DynamoDB's limit
NUMBER_EXPONENT_MAX = 130  # 1E-130 to 9.99E+125, rounded up

_TEXT, _NUMBER, _BOOLEAN, _BINARY = b"s", b"n", b"b", b"x"
# The default context would round to 28 digits, and silently.
_EXACT = Context(prec=NUMBER_DIGITS_MAX, traps=[Inexact])

Scalar = str | int | Decimal | bool | bytes


def to_plaintext(value: Scalar) -> bytes:
    """The tagged bytes of a scalar.

    Raises:
        ValueError: a number beyond DynamoDB's limits, or a value that is not a scalar. The text never holds
            the value.
    """
    kind = type(value)
    if kind is str:
        # Lone surrogates cannot come from DynamoDB but can from JSON.
        return _TEXT + value.encode("utf-8", "surrogatepass")  # type: ignore[union-attr]
    if kind is bool:
        return _BOOLEAN + (b"1" if value else b"0")
    if kind is int or kind is Decimal:
        return _NUMBER + _number_text(Decimal(value)).encode()  # type: ignore[arg-type]
    if kind is bytes:
        return _BINARY + value  # type: ignore[operator]
    raise ValueError(f"a {kind.__name__} is not a scalar")


def from_plaintext(plaintext: bytes) -> Scalar:
    """The scalar of its tagged bytes, with its type.

    Raises:
        ValueError: not the form that `to_plaintext` gives.
    """
    tag, body = plaintext[:1], plaintext[1:]
    if tag == _TEXT:
        return body.decode("utf-8", "surrogatepass")
    if tag == _BOOLEAN and body in {b"0", b"1"}:
        return body == b"1"
    if tag == _NUMBER:
        try:
            number = Decimal(body.decode("ascii"))
        except InvalidOperation:
            raise ValueError("not a number in the form of a token") from None
        return int(number) if number == number.to_integral_value() else number
    if tag == _BINARY:
        return body
    raise ValueError("not a plaintext of a token")


def _number_text(number: Decimal) -> str:
    if number.is_finite() and number == 0:
        return "0"  # DynamoDB knows no negative zero, and 0E+3 is 0
    try:
        if number.is_finite() and abs(number.adjusted()) <= NUMBER_EXPONENT_MAX:
            return format(number.normalize(_EXACT), "f")
    except Inexact:
        pass
    raise ValueError("a number beyond DynamoDB's 38 digits or its range")
