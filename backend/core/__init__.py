"""Leaves that import no other room: settings, errors, money, clock, languages, logs, metrics, signing, vault."""
