"""Answers kept under an Idempotency-Key (docs/facts/stripe.md B3): replayed for a day, refused for other parameters."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.objects.ground import Ground
from sandbox.stripe.objects.refusals import Refusal

A_DAY = 86400
LONGEST = 255


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Record:
    asked: object
    at: float
    answer: Answer | None = None
    """None while the first request is still at work."""


@dataclass
class Kept:
    """Keys are per account and mode: ``scope`` names both."""

    ground: Ground
    records: dict[tuple[object, str], Record] = field(default_factory=dict)

    def find(self, scope: object, key: str, asked: object) -> Answer | None:
        """The first answer of this key, None for a fresh key, or ``Refusal``."""
        if len(key) > LONGEST:
            raise Refusal(f"Idempotency keys are at most {LONGEST} characters.", type="idempotency_error")
        record = self.records.get((scope, key))
        if record is None or record.at + A_DAY <= self.ground.clock():
            return None
        if record.asked != asked:
            sentence = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            status = int(self.ground.switches["idempotency_mismatch_status"])
            raise Refusal(sentence, status=status, type="idempotency_error")
        if record.answer is None:
            sentence = "There is currently another in-progress request using this Idempotent Key."
            raise Refusal(sentence, status=409, type="idempotency_error", code="idempotency_key_in_use")
        headers = record.answer.headers | {"Idempotent-Replayed": "true"}
        return Answer(record.answer.status, record.answer.body, headers)

    def begin(self, scope: object, key: str, asked: object) -> None:
        self.records[scope, key] = Record(asked, self.ground.clock())

    def finish(self, scope: object, key: str, answer: Answer) -> None:
        self.records[scope, key].answer = answer

    def forget(self, scope: object, key: str) -> None:
        """Nothing began to run: the key is free again."""
        self.records.pop((scope, key), None)
