"""What happens to payments: sessions, intents, invoices, subscriptions, refunds, disputes."""
