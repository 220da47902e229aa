"""Plain Python without Odoo: importable and testable without a database."""
