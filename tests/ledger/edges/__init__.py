"""Rare shapes and odd lives of payments, one by one."""
