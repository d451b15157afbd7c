"""What follows from the margins: who, why and what to do. GET only, scope read."""
