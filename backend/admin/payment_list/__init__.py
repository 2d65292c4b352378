"""All payments and open requests of an account: the list that the app's pages and its file are read from."""
