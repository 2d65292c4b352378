"""Where the facts leave Stripe's behaviour open: both readings can be played."""
