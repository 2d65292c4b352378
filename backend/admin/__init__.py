"""What an administrator sees and does; called by the admin API, the pages and the command line alike."""
