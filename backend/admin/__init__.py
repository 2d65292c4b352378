"""Views and actions of an administrator, called by the admin API, the pages and the command line."""
