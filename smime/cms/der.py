"""Write BER anew as DER, without knowing what it means (X.690 §10, §11)."""

from asn1crypto import parser

DEPTH_LIMIT = 16
_UNIVERSAL, _CONSTRUCTED, _SET = 0, 1, 17


def to_der(encoded: bytes, *, depth: int = 0) -> bytes:
    """Give the element with definite, shortest lengths and the members of every SET in order.

    Strings sent in pieces stay so: only a decoder that knows the type could join them. Raises
    ValueError for damaged or too deeply nested bytes.
    """
    if depth > DEPTH_LIMIT:
        raise ValueError("nested too deeply")
    class_, method, tag, _, contents, _ = parser.parse(encoded)
    if method == _CONSTRUCTED:
        children = [to_der(child, depth=depth + 1) for child in _elements(contents)]
        if (class_, tag) == (_UNIVERSAL, _SET):
            children.sort()
        contents = b"".join(children)
    return bytes(parser.emit(class_, method, tag, contents))


def _elements(contents: bytes) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while position < len(contents):
        length = parser.peek(contents[position:])
        found.append(contents[position : position + length])
        position += length
    return found
