"""What a widget must know to show everything that this backend answers."""

API = 2
"""Raised when the widget's routes gain something that a widget built before can't show. The build writes it into the
widget and every answer names it, so that an administrator is told to upload the new archive. Nothing is ever taken
away: an older widget goes on working."""

API_HEADER = "X-Widget-Api"
