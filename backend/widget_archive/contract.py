"""The version of the contract between the widget and this backend."""

API = 2
"""Increase it when the widget's routes gain something that an older widget cannot show. The build writes it into the
widget and every answer names it, so that the administrator is asked to upload the new archive. Nothing is ever removed:
an older widget still works."""

API_HEADER = "X-Widget-Api"
