"""How Stripe says no: ``{"error": {"type", "code"?, "param"?, "message"}}`` with a status."""

from typing import Any


class Refusal(Exception):
    """An answer of Stripe that is an error.

    ``began`` tells whether work had begun when it was refused: only then is the answer kept under the Idempotency-Key
    (docs/facts/stripe.md B3).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        began: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.began, self.headers = status, began, headers or {}
        self._error = {"code": code, "message": message, "param": param, "type": type}

    def as_json(self) -> dict[str, Any]:
        return {"error": {key: value for key, value in self._error.items() if value is not None}}


def missing(kind: str, id: str, param: str = "id") -> Refusal:
    return Refusal(f"No such {kind}: '{id}'", status=404, code="resource_missing", param=param)


def required(param: str) -> Refusal:
    return Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param)
