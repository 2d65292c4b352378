"""Leads, their fields, their notes."""

from sandbox.kommo.doubts.shape import Doubts

LEADS: Doubts = {
    "missing_lead": (
        "7.1",
        "GET of an unknown or deleted lead",
        {"204": "no content", "404": "not found"},
    ),
    "patch_missing": (
        "6",
        "PATCH of an unknown or deleted lead",
        {"path_id": "400 NotSupportedChoice at path id", "226": "400 with code 226 in detail"},
    ),
    "field_filter": (
        "7.1",
        "filter by a custom field on this plan",
        {"works": "it filters", "ignored": "everything comes back"},
    ),
    "price_decimals": (
        "7.2",
        "a decimal in price",
        {"refused": "400 InvalidType", "rounded": "cut to whole units", "kept": "kept in price_with_minor_units"},
    ),
    "price_with_minor_units": (
        "7.2",
        "price_with_minor_units in reads and hooks",
        {"absent": "no such field", "present": "a decimal in whole units"},
    ),
    "into_incoming": (
        "10",
        "moving a deal into Incoming leads by PATCH",
        {"refused": "400 for the whole request", "allowed": "moved"},
    ),
    "incoming_write": (
        "14",
        "a PATCH of a deal in Incoming leads that names no stage",
        {"accepts": "it leaves Incoming leads, and the first stage's bots start", "stays": "it stays there"},
    ),
    "closed_sort": (
        "10",
        "sort of the stages won and lost",
        {"last": "10000 and 11000", "first": "1 and 2, before all others"},
    ),
    "archived_pipelines": (
        "10",
        "archived pipelines in the list",
        {"listed": "with is_archive", "hidden": "left out"},
    ),
    "tag_delete_unknown": (
        "15",
        "tags_to_delete with a name that the account does not have",
        {"makes_it": "the tag is made, and the deal does not have it", "ignored": "nothing happens"},
    ),
    "tags_null": (
        "7.2",
        "tags: null in a PATCH",
        {"ignored": "nothing happens", "detaches": "all tags go"},
    ),
    "lead_cap": (
        "5",
        "POST of leads when the plan's number is reached",
        {"402": "payment required", "422": "unprocessable", "accepted": "accepted for another day"},
    ),
    "merge_events": (
        "14",
        "what /events shows of a merge",
        {
            "entity_merged": "an entity_merged",
            "deleted": "lead_deleted of the one that goes",
            "none": "nothing",
        },
    ),
    "merge_shape": (
        "14",
        "which deal an entity_merged stands at, and what its values hold",
        {
            "at_survivor": "at the one that stays, the other as a number in value_after",
            "at_gone": "at the one that goes, the one that stays as a number in value_after",
            "in_values": "at the one that goes, both as text in lists, one in each value",
        },
    ),
    "events_feed": (
        "6",
        "whether our token may read /events",
        {"open": "it may", "403": "forbidden"},
    ),
    "copy_keeps_api_only": (
        "14",
        "fields written by API only in a copied lead",
        {"keeps": "copied too", "drops": "left empty"},
    ),
    "api_author": (
        "7.1",
        "updated_by after a write by API",
        {"user": "the user of the token", "robot": "0"},
    ),
}

FIELDS: Doubts = {
    "monetary": (
        "8",
        "fields of type monetary on this plan",
        {"refused": "400 at path type", "offered": "made"},
    ),
    "api_only_fields": (
        "8",
        "is_api_only in a new field",
        {"accepted": "made", "refused": "400 at path is_api_only"},
    ),
    "field_created_status": (
        "8",
        "status of a made field or group",
        {"201": "created", "200": "ok"},
    ),
    "field_code": (
        "8",
        "a code in a new field",
        {"accepted": "made", "refused": "400 at path code"},
    ),
    "field_code_case": (
        "8",
        "case of a field's code",
        {"as_sent": "kept", "upper": "made upper case"},
    ),
    "omitted_options": (
        "8",
        "options left out of a PATCH of enums",
        {"deleted": "they go; deals that hold one are orphans", "kept": "they stay"},
    ),
    "group_id": (
        "8",
        "id of a new group",
        {"leads_number": "leads_ and digits", "uuid": "a uuid"},
    ),
    "text_limit": (
        "7.3",
        "a text over 255, an address over 2000 characters",
        {"cut": "cut", "refused": "400", "none": "kept"},
    ),
    "monetary_decimals": (
        "7.3",
        "decimals in a monetary field",
        {"kept": "kept", "rounded": "cut to whole units"},
    ),
    "plain_date": (
        "7.3",
        "YYYY-MM-DD in a date field",
        {"refused": "400 InvalidType", "accepted": "taken as that day"},
    ),
}

NOTES: Doubts = {
    "note_triggers": (
        "9",
        "a note that does not say is_need_to_trigger_digital_pipeline",
        {"true": "starts bots", "false": "starts none"},
    ),
    "extended_service_message": (
        "9",
        "note type extended_service_message",
        {"accepted": "accepted", "refused": "400 NotSupportedChoice"},
    ),
    "amocrm_note_types": (
        "9",
        "invoice_paid, bill_paid, message_cashier",
        {"refused": "400 NotSupportedChoice", "accepted": "accepted"},
    ),
    "text_reading": (
        "9",
        "how the text of a note or task comes back",
        {
            "as_written": "as it was sent",
            "cut_at_emoji": "cut before the first emoji",
            "cut_at_64": "the first 64 characters",
            "other_blanks": "line breaks and runs of blanks are one blank, some of them hard",
            "entities": "with HTML entities",
            "no_emoji": "without emoji",
        },
    ),
    "note_limit": (
        "9",
        "length of a note's text",
        {"none": "no limit", "4096": "400 beyond 4096 characters"},
    ),
}
