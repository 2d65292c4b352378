"""Request parameters against Stripe's own request schema: text becomes typed values, or a ``Refusal``."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.objects.refusals import Refusal, required
from sandbox.stripe.objects.schemas import Obj, request_schema

NO_LONGER = "payment_method_types"
METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500


def typed(schema: Obj, raw: Any, path: str = "") -> Any:
    """``raw`` (a tree of text) as ``schema`` wants it; ``path`` is Stripe's name of the place, ``a[b][0]``."""
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], raw, path)
    if "const" in schema or "enum" in schema:
        return _one_of(schema.get("enum", [schema.get("const")]), raw, path)
    return READERS[schema.get("type", "string")](schema, raw, path)


def _any_of(options: list[Obj], raw: Any, path: str) -> Any:
    kind = "object" if isinstance(raw, dict) else "array" if isinstance(raw, list) else "string"
    fitting = sorted(options, key=lambda option: option.get("type") != kind or "const" not in option)
    problem: Refusal | None = None
    for option in fitting:
        try:
            return typed(option, raw, path)
        except Refusal as refusal:
            if problem is None or option.get("type") == kind:
                problem = refusal
    raise problem or Refusal(f"Invalid value for {path}", param=path)


def _one_of(values: list[str], raw: Any, path: str) -> str:
    if raw not in values:
        raise Refusal(f"Invalid {path}: must be one of {', '.join(values[:40])}", param=path)
    return str(raw)


def _object(schema: Obj, raw: Any, path: str) -> Obj:
    if not isinstance(raw, dict):
        raise Refusal("Invalid object", param=path)
    known, more = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in raw:
            raise required(_below(path, name))
    result = {}
    for name, value in raw.items():
        part = known.get(name, more)
        if part is False:
            raise _unknown(_below(path, name))
        result[name] = typed(part, value, _below(path, name))
    if path.endswith("metadata]") or path == "metadata":
        _check_metadata(result, path)
    return result


def _unknown(path: str) -> Refusal:
    if path == NO_LONGER:
        sentence = "`payment_method_types` is no longer supported. Use dynamic payment methods."
        return Refusal(sentence, code="payment_method_types_no_longer_supported", param=path)
    return Refusal(f"Received unknown parameter: {path}", code="parameter_unknown", param=path)


def _check_metadata(metadata: Obj, path: str) -> None:
    if len(metadata) > METADATA_KEYS:
        raise Refusal(f"You cannot have more than {METADATA_KEYS} metadata keys.", param=path)
    for key, value in metadata.items():
        if len(key) > METADATA_KEY:
            raise Refusal(f"Metadata keys must be under {METADATA_KEY} characters long.", param=path)
        if len(value) > METADATA_VALUE:
            sentence = f"Metadata values must be under {METADATA_VALUE} characters long."
            raise Refusal(sentence, param=_below(path, key))


def _array(schema: Obj, raw: Any, path: str) -> list[Any]:
    if not isinstance(raw, list):
        raise Refusal("Invalid array", param=path)
    return [typed(schema.get("items", {}), value, f"{path}[{number}]") for number, value in enumerate(raw)]


def _string(schema: Obj, raw: Any, path: str) -> str:
    if not isinstance(raw, str):
        raise Refusal("Invalid string", param=path)
    longest = schema.get("maxLength", 5000)
    if len(raw) > longest:
        raise Refusal(f"Invalid string: must be at most {longest} characters", code="parameter_invalid", param=path)
    known = schema.get("x-known-values", ())
    return _one_of(list(known), raw, path) if len(known) > 1 else raw


def _integer(_schema: Obj, raw: Any, path: str) -> int:
    digits = raw.removeprefix("-") if isinstance(raw, str) else ""
    if not (digits.isascii() and digits.isdigit()):
        raise Refusal(f"Invalid integer: {raw}", code="parameter_invalid_integer", param=path)
    return int(raw)


def _boolean(_schema: Obj, raw: Any, path: str) -> bool:
    if raw not in ("true", "false"):
        raise Refusal(f"Invalid boolean: {raw}", param=path)
    return bool(raw == "true")


def _number(_schema: Obj, raw: Any, path: str) -> float:
    try:
        return float(raw)
    except (TypeError, ValueError):
        raise Refusal(f"Invalid decimal: {raw}", param=path) from None


def _below(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


READERS: dict[str, Callable[[Obj, Any, str], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "boolean": _boolean,
    "number": _number,
}


LIST: Obj = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "created": {"type": "object", "additionalProperties": {"type": "integer"}},
        "ending_before": {"type": "string"},
        "expand": {"type": "array"},
        "limit": {"type": "integer"},
        "starting_after": {"type": "string"},
    }
    | {name: {"type": "string"} for name in ("customer", "status", "product", "type", "currency")}
    | {"active": {"type": "boolean"}},
}
"""For the few operations that the pinned subset does not describe."""


def parameters(operation: str, raw: Obj) -> Obj:
    """Typed parameters of an operation such as ``"POST /v1/refunds"``."""
    schema = request_schema(operation)
    checked: Obj = typed(LIST if schema is None else schema, raw)
    return checked
