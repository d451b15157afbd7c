"""Words every app shares: units, instants, errors, ids. No models, no I/O."""
