"""The database: engine, tables, migrations, counters."""
