"""One API call as a handler meets it: authenticated, typed, and on the shelf of its key's account and mode."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.stripe.doubts.switches import Switches
from sandbox.stripe.objects.accounts import Account, Key
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore
from sandbox.stripe.world import StripeWorld


@dataclass(frozen=True)
class Call:
    """``ids`` are the parts of the path in braces, in their order; ``version`` is the one the answer is shown in."""

    world: StripeWorld
    account: Account
    key: Key
    shelf: ObjectStore
    path: str
    ids: tuple[str, ...]
    params: Obj
    version: str

    def need(self, slug: str) -> None:
        """``Refusal`` 403 that names the slug, as Stripe does for restricted keys."""
        if not self.key.may(slug):
            raise Refusal(
                f"The provided key '{self.key.masked}' does not have the required permissions for this endpoint on "
                f"account '{self.account.id}'. Having the '{slug}' permission would allow this request to continue.",
                status=403,
            )


Handler = Callable[[Call], Obj]


@dataclass(frozen=True)
class Route:
    """``resource`` is a slug without its ending, or the switch that decides it; ``access`` is read or write."""

    method: str
    template: str
    resource: str
    access: str
    handler: Handler

    @property
    def operation(self) -> str:
        return f"{self.method} {self.template}"

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """The ids in ``path`` if this route serves it."""
        parts, asked = self.template.split("/"), path.split("/")
        if method != self.method or len(parts) != len(asked):
            return None
        pairs = list(zip(parts, asked, strict=True))
        if not all(part == given or (part.startswith("{") and given) for part, given in pairs):
            return None
        return tuple(given for part, given in pairs if part.startswith("{"))

    def slug(self, switches: Switches) -> str | None:
        """The permission it takes; None where it takes none."""
        resource = switches.get(self.resource, self.resource)
        return None if resource == "none" else f"{resource}_{self.access}"
