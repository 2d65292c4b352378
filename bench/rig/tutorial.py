"""The webhook of Stripe's tutorial: Flask and ``construct_event``, storing nothing."""

import os

import stripe
from flask import Flask, request

app = Flask(__name__)
SECRET = os.environ.get("WEBHOOK_SECRET", "")


@app.post("/")
def receive() -> tuple[str, int] | dict[str, bool]:
    try:
        stripe.Webhook.construct_event(request.data, request.headers.get("Stripe-Signature", ""), SECRET)
    except (ValueError, stripe.SignatureVerificationError):
        return "refused", 400
    return {"received": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
