"""What a guarded customer's period is projected to leave, kept fresh for the gate: docs/adr/0013."""
