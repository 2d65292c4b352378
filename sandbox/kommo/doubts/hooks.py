"""What Kommo sends by itself."""

from sandbox.kommo.doubts.shape import Doubts

HOOKS: Doubts = {
    "webhook_settings": (
        "12.1",
        "settings in the answer of POST /webhooks",
        {"list": "a list", "object": 'an object {"add_lead": 1}'},
    ),
    "webhooks_over_100": (
        "15",
        "the 101st webhook",
        {"422": "unprocessable", "400": "bad request"},
    ),
    "salesbot_alg": (
        "12.2",
        "algorithm of the Salesbot token",
        {"HS512": "HS512", "HS256": "HS256"},
    ),
    "salesbot_body": (
        "12.2",
        "body of the request of a widget's step in a bot",
        {"form": "a form", "json": "JSON", "form_json_data": "a form in which data is JSON as text"},
    ),
    "salesbot_claims": (
        "12.2",
        "claims of the Salesbot token",
        {"full": "those of a captured token", "documented": "client_uid, and no iat, nbf, iss, aud"},
    ),
    "unfilled_placeholder": (
        "12.2",
        "a placeholder without a value in the data of a widget's step",
        {"kept": "stays as it is written", "empty": "is empty"},
    ),
    "salesbot_late": (
        "12.2",
        "a widget's step whose request is answered late or badly",
        {"fails": "the bot ends", "waits": "the bot waits"},
    ),
    "bot_waits": (
        "15",
        "how long a bot waits at a widget's step",
        {
            "forever": "until it is continued or stopped",
            "24_hours": "a day, then it is gone: 404",
            "10_minutes": "ten minutes, then it is gone: 404",
        },
    ),
    "continue_handlers": (
        "15",
        "execute_handlers of a continued bot",
        {"one_needed": "at least one", "optional": "may be missing"},
    ),
    "continue_status": (
        "15",
        "status of a continued bot",
        {"202": "accepted", "200": "ok"},
    ),
    "continue_twice": (
        "15",
        "a bot continued twice",
        {"404": "not found", "400": "bad request"},
    ),
    "hook_order": (
        "12.1",
        "order and number of account webhooks",
        {"in_order": "once each, in order", "reversed_twice": "twice each, last first"},
    ),
    "dp_form": (
        "12.2",
        "what is around the fields of a widget's action in the Digital Pipeline",
        {"edit_forms": "form.digital-pipeline__edit-forms", "fields_wrapper": "#widget_settings__fields_wrapper"},
    ),
    "dp_body": (
        "12.2",
        "body of the hook of a widget's action in the Digital Pipeline",
        {"form": "a form, every value a text", "json": "JSON"},
    ),
    "dp_type": (
        "12.2",
        "type of the event when a deal enters a stage with a widget's action",
        {"15": "lead_appeared_in_status", "14": "lead_status_changed"},
    ),
    "dp_inside": (
        "12.2",
        "direction of a move between two stages of one stretched action",
        {"in_trigger": "in_trigger", "went_in_trigger": "went_in_trigger"},
    ),
    "dp_time": (
        "12.2",
        "time of the event in that hook",
        {"present": "there", "absent": "left out"},
    ),
    "digital_pipeline_repeats": (
        "12.2",
        "a Digital Pipeline hook that was answered badly",
        {"four": "sent again up to four times within an hour", "once": "never sent again"},
    ),
}
