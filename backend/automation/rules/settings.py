"""What an admin chose for a rule, checked; the widget's form and the database hold it in these words."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from backend.payments.schemas import WHOLE, KommoId

Channel = Literal["bot", "chat", "task"]
DEAL = "{deal}"


class RuleSettings(BaseModel):
    """``hours``: how old the moment may be at which the deal entered the stage; ``replace``: whether an unpaid link
    over another amount gives way; ``channels``: how the link is sent, each where the one before it could not. What is
    left out that the others need, as the field of an amount, stands in the way of each deal, and its task says so."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    amount: Literal["price", "open", "field", "percent"] = "price"
    field_id: KommoId | None = None
    percent: Annotated[int, Field(strict=True, ge=1, le=100), WHOLE] = 100
    kind: Literal["full", "deposit"] = "full"
    description: Annotated[str, Field(strict=True, max_length=250)] = DEAL
    valid_days: Annotated[int, Field(strict=True, ge=1, le=365), WHOLE] | None = None
    hours: Annotated[int, Field(strict=True, ge=1, le=720), WHOLE] = 24
    replace: StrictBool = False
    channels: Annotated[list[Channel], Field(max_length=3, json_schema_extra={"uniqueItems": True})] = []
