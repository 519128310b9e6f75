"""What the parts come to together: settings, verbs, and the one place that wires them."""
