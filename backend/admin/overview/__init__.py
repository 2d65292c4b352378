"""The account at a glance: money by month and age, health, and open tasks."""
