"""Faults in the widget's sources or archive; the message is for the person who runs the build."""


class WidgetProblem(Exception):
    """The widget cannot be built; nothing was written."""


class SourcesMissing(WidgetProblem):
    """Neither a checkout nor an installed package has the widget's sources."""


class BackendAddressInvalid(WidgetProblem):
    """The URL is not a plain http(s) origin with an optional path."""


class ManifestInvalid(WidgetProblem):
    """``manifest.json`` breaks a rule of Kommo's."""


class TranslationsDiffer(WidgetProblem):
    """A language lacks a key that another has, or a key that the manifest or a script names."""


class ImageInvalid(WidgetProblem):
    """An image is missing, not a PNG, too large, or of other pixel dimensions than Kommo requires."""


class ScriptInvalid(WidgetProblem):
    """The script sources cannot be joined into one module."""


class ArchiveInvalid(WidgetProblem):
    """The finished archive holds a file that Kommo would refuse, or is too large."""
