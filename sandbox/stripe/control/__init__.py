"""The world's methods over HTTP, for the story, for tests and for other processes: JSON in, JSON out.

Everything lies under ``/_sandbox``; what does not exist or does not fit the state is answered as Stripe would.
"""

from sandbox.stripe.control import behaviour, deliveries, payments, records

ROUTES = [route for part in (payments, deliveries, records, behaviour) for route in part.router.routes]
