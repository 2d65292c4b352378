"""From an amount to money: a payment request, its permanent link, and what a rep may do with either afterwards."""
