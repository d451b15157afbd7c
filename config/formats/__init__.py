"""How dates are written on staff pages (FORMAT_MODULE_PATH)."""
