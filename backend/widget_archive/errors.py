"""What can be wrong with the widget's sources or its archive; the message is for whoever runs the build."""


class WidgetProblem(Exception):
    """The widget can't be built; nothing was written."""


class SourcesMissing(WidgetProblem):
    """Neither a checkout nor an installed package has the widget's sources."""


class BackendAddressInvalid(WidgetProblem):
    """The address is no plain http(s) origin with an optional path."""


class ManifestInvalid(WidgetProblem):
    """``manifest.json`` does not say what Kommo demands."""


class TranslationsDiffer(WidgetProblem):
    """A language lacks a key that another has, or a key that the manifest or a script names."""


class ImageInvalid(WidgetProblem):
    """An image is missing, no PNG, too heavy, or has other pixels than Kommo's place for it."""


class ScriptInvalid(WidgetProblem):
    """The script sources can't be joined into one."""


class ArchiveInvalid(WidgetProblem):
    """The finished archive holds a file that Kommo would refuse, or is too large."""
