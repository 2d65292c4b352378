"""A rule's settings, validated; the widget's form and the database use this shape."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from backend.payments.schemas import WHOLE, KommoId

Channel = Literal["bot", "chat", "task"]
DEAL = "{deal}"


class RuleSettings(BaseModel):
    """A rule's settings.

    ``hours``: how long ago the deal may have entered the stage; ``replace``: whether an unpaid link over another amount
    is replaced; ``channels``: how the link is sent, in order of preference. A missing value that others need, such as
    the field of an amount, is an obstacle for each deal, and its task says so.
    """

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
