"""The list of an account's payments and open requests, read by the app's pages and the CSV file."""
