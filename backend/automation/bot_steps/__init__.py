"""Steps of Salesbots: *Payment link* and *Is it paid?*, asked by Kommo and answered by the account's worker."""
